import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as rest } from 'node:timers/promises';
import { crashFaults, isOne, type Fault } from '../../../support/fault-campaign/faults.ts';
import { placeOf, type Told } from '../../../support/fault-campaign/keys.ts';
import { SYSTEM_NAMESPACE, type Installation } from '../installation.ts';
import { CrashGate } from './crash-gate.ts';
import { passOnEvents, type ToldEvent } from './event-stream.ts';
import type { SeenWrite, WorldRecord } from './record.ts';
import { staleList, Versions } from './stale-lists.ts';
import { passOn, Upstream, type Forwarded } from './upstream.ts';

interface Kubeconfig {
  readonly clusters: readonly [
    { readonly cluster: { readonly 'certificate-authority-data': string } & Record<string, unknown> },
  ];
}

/** How long the watches of a server that is behind stay behind: until whoever begins now leads and has made passes. */
const LAG_MS = 6_000;
const refusals: Partial<Readonly<Record<Fault, { readonly code: number; readonly reason: string }>>> = {
  'answer 409': { code: 409, reason: 'Conflict' },
  'answer 429': { code: 429, reason: 'TooManyRequests' },
  'answer 500': { code: 500, reason: 'InternalError' },
};

/** Between the operator and the real API server: knows every write and every event, and does to each what it is told to. */
export class FaultProxy {
  readonly gate = new CrashGate();
  readonly worlds = new Map<string, WorldRecord>();
  /** For the operator; the proxy talks plainly to it. */
  readonly kubeconfig: string;
  private readonly upstream: Upstream;
  private readonly server: Server;
  private readonly versions = new Versions();
  /** Paths of collections whose next list is one of this version. */
  private readonly staleNext = new Map<string, string>();
  private staleVersion: string | undefined;
  /** The first list of each collection is one of this version, while an operator begins. */
  private staleStart:
    { readonly version: string; readonly paths: Set<string>; lagsUntilMs: number } | undefined;

  private constructor(upstream: Upstream, server: Server, kubeconfig: string) {
    this.upstream = upstream;
    this.server = server;
    this.kubeconfig = kubeconfig;
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      // Whoever is killed or hangs up in the middle of it is no trouble here.
      this.answer(request, response).catch(() => response.socket?.destroy());
    });
  }

  static async start({ server: apiServer }: Installation): Promise<FaultProxy> {
    const direct = await apiServer.kubeconfigForServiceAccount(SYSTEM_NAMESPACE, 'headgate');
    const configuration = JSON.parse(await readFile(direct, 'utf8')) as Kubeconfig;
    const [{ cluster }] = configuration.clusters;
    const server = createServer({ keepAliveTimeout: 60_000 });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const near = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const kubeconfig = `${direct}.fault-proxy`;
    const plain = { name: 'bed', cluster: { server: near, 'insecure-skip-tls-verify': true } };
    await writeFile(kubeconfig, JSON.stringify({ ...configuration, clusters: [plain] }), { mode: 0o600 });
    const authority = Buffer.from(cluster['certificate-authority-data'], 'base64');
    return new FaultProxy(new Upstream(apiServer.url, authority), server, kubeconfig);
  }

  /** Whoever begins from now on is told what was before the writes that were in the air. */
  beginStale(): void {
    const version = this.staleVersion;
    this.staleVersion = undefined;
    if (version === undefined) return;
    this.staleStart = { version, paths: new Set(), lagsUntilMs: Number.POSITIVE_INFINITY };
  }

  endStale(): void {
    this.staleStart = undefined;
  }

  async stop(): Promise<void> {
    this.gate.clear();
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
    this.upstream.stop();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url: path = '/', headers } = request;
    const forwarded = { method, path, headers, body: await buffer(request) };
    if (method !== 'GET') await this.answerWrite(forwarded, response);
    else if (path.includes('watch=true')) await this.answerWatch(forwarded, response);
    else passOn(await this.upstream.ask(forwarded), response);
  }

  private async answerWrite(forwarded: Forwarded, response: ServerResponse): Promise<void> {
    const place = placeOf(forwarded.path.split('?')[0] ?? '');
    const record = this.worlds.get(place?.namespace ?? '');
    if (place === undefined || record === undefined) {
      passOn(await this.upstream.ask(forwarded), response);
      return;
    }
    const { write, fault } = record.meetWrite(forwarded.method, place, toldIn(forwarded.body));
    const refusal = fault && refusals[fault];
    if (refusal !== undefined) refuse(response, refusal);
    else if (fault === 'crash before') this.gate.hold(response.socket);
    else await this.carryOut(forwarded, { response, write, fault });
  }

  private async carryOut(
    forwarded: Forwarded,
    { response, write, fault }: { response: ServerResponse; write: SeenWrite; fault: Fault | undefined },
  ): Promise<void> {
    if (fault === 'stale start') this.staleVersion ??= this.versions.staleBefore(undefined);
    const reply = await this.upstream.ask(forwarded);
    write.status = reply.status;
    if (isOne(crashFaults, fault)) this.gate.hold(response.socket);
    else if (fault === 'lost reply') response.socket?.resetAndDestroy();
    else passOn(reply, response);
  }

  private async answerWatch(forwarded: Forwarded, response: ServerResponse): Promise<void> {
    const path = forwarded.path.split('?')[0] ?? '';
    const isList = forwarded.path.includes('sendInitialEvents=true');
    const stale = isList ? this.takeStale(path) : undefined;
    if (stale !== undefined) {
      response.writeHead(200).end(await staleList(this.upstream, forwarded, stale));
      return;
    }
    if (!isList) await this.lag(path);
    const hangUp = new AbortController();
    response.on('close', () => hangUp.abort());
    const answer = await this.upstream.open(forwarded, hangUp.signal);
    response.writeHead(answer.statusCode ?? 0, { 'content-type': 'application/json' });
    response.flushHeaders();
    await passOnEvents({
      ...{ answer, response },
      meet: (event) => this.meet(isList, path, event),
      onDropped: ({ object }, fault) => {
        const { resourceVersion } = object.metadata;
        if (fault === 'stale list') this.staleNext.set(path, this.versions.staleBefore(resourceVersion));
      },
    }).finally(() => answer.destroy());
  }

  /** What a list holds is no event. */
  private meet(isList: boolean, path: string, { type, object }: ToldEvent): Fault | undefined {
    this.versions.hear(object.metadata.resourceVersion);
    if (isList || type === 'BOOKMARK' || type === 'ERROR') return undefined;
    const plural = path.slice(path.lastIndexOf('/') + 1);
    return this.worlds.get(object.metadata.namespace ?? '')?.meetEvent(type, plural, object);
  }

  private takeStale(path: string): string | undefined {
    const next = this.staleNext.get(path);
    this.staleNext.delete(path);
    // Leadership has its own tests.
    if (next !== undefined || path.endsWith('/leases') || this.staleStart?.paths.has(path) !== false)
      return next;
    this.staleStart.paths.add(path);
    this.staleStart.lagsUntilMs = Math.min(this.staleStart.lagsUntilMs, performance.now() + LAG_MS);
    return this.staleStart.version;
  }

  private async lag(path: string): Promise<void> {
    if (this.staleStart?.paths.has(path) !== true) return;
    await rest(Math.max(0, this.staleStart.lagsUntilMs - performance.now()));
  }
}

function toldIn(body: Buffer): Told | undefined {
  return body.length === 0 ? undefined : (JSON.parse(body.toString()) as Told);
}

/** As the API server's flow control does, 429 says when to come back. */
function refuse(
  response: ServerResponse,
  { code, reason }: { readonly code: number; readonly reason: string },
): void {
  const body = JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason,
    message: 'a fault',
  });
  response
    .writeHead(code, { 'content-type': 'application/json', ...(code === 429 && { 'retry-after': '1' }) })
    .end(body);
}
