import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isRepetition, refuse, type ListFault, type WatchFault } from './faults.ts';
import { OpenWatch } from './open-watch.ts';
import { Truth, type Happening, type Snapshot, type Thing } from './truth.ts';
import { bookmarkLine, lineOf, sentThing } from './wire.ts';

export interface PlannedWatchFault {
  readonly fault: WatchFault;
  readonly afterEvents: number;
}

/** Says what goes wrong next; by default what `faults` lists, one after the other. */
export interface FaultPlan {
  watchFault(): PlannedWatchFault | undefined;
  listFault(): ListFault | undefined;
}

const REPEATED_EVENTS = 50;

/**
 * A small API server of Pods that breaks its watches and lists as it is told to. Whatever it does to its answers, its
 * truth is plain, and what happened is in the next list, or in a watch from before it.
 */
export class FaultServer {
  readonly truth = new Truth();
  readonly faults: WatchFault[] = [];
  readonly listFaults: ListFault[] = [];
  lists = 0;
  watches = 0;
  streams = 0;
  refusals = 0;
  eventsSent = 0;
  readonly watchQueries: URLSearchParams[] = [];
  /** How long the other side took to notice each half-open watch. */
  readonly noticedMs: number[] = [];
  /** Answers every request with this status instead. */
  refuseWith: number | undefined;
  /** What a server before 1.34 does with a list that is to be sent as events. */
  streaming: 'sends' | 'refuses' | 'ignores' = 'sends';
  plan: FaultPlan = {
    watchFault: () => {
      const fault = this.faults.shift();
      return fault === undefined ? undefined : { fault, afterEvents: 0 };
    },
    listFault: () => this.listFaults.shift(),
  };
  private readonly open = new Set<OpenWatch>();
  private readonly server: Server;
  private old: Snapshot = this.truth.snapshot();

  private constructor() {
    this.server = createServer((request, response) => this.answer(request, response));
  }

  static async start(): Promise<FaultServer> {
    const faultServer = new FaultServer();
    faultServer.server.listen(0, '127.0.0.1');
    await once(faultServer.server, 'listening');
    return faultServer;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get openWatches(): number {
    return [...this.open].filter(({ isGood }) => isGood).length;
  }

  /** Bytes that the slowest watch has not taken yet. */
  get backlog(): number {
    return Math.max(0, ...[...this.open].map(({ backlog }) => backlog));
  }

  put(name: string, uid = name): Thing {
    const happening = this.truth.put(name, uid);
    this.tell(happening);
    return happening.thing;
  }

  remove(name: string): void {
    const happening = this.truth.remove(name);
    if (happening !== undefined) this.tell(happening);
  }

  /** An event out of turn, which the list knows nothing of. */
  send(type: Happening['type'], thing: Thing): void {
    this.tell({ type, thing });
  }

  write(text: string): void {
    for (const watch of this.open) watch.write(text);
  }

  endWatches(): void {
    for (const watch of this.open) watch.end();
  }

  /** What lists that are old, and a cluster that is restored, go back to. */
  remember(): void {
    this.old = this.truth.snapshot();
  }

  /** The cluster begins again from what was remembered. */
  restore(): void {
    this.truth.restore(this.old);
    this.remember();
    for (const watch of this.open) watch.reset();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private tell(happening: Happening): void {
    for (const watch of this.open) watch.send(happening);
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { searchParams: query } = new URL(request.url ?? '/', 'http://localhost');
    if (this.refuseWith !== undefined) refuse(response, this.refuseWith);
    else if (query.get('watch') !== 'true') this.answerList(query, response);
    else if (query.get('sendInitialEvents') !== 'true') this.answerWatch(query, response);
    else this.answerStream(response);
  }

  private answerList(query: URLSearchParams, response: ServerResponse): void {
    this.lists += 1;
    this.faulty(response, ({ version, things }, isCutOff) => {
      const from = Number(query.get('continue') ?? '0');
      const to = from + Number(query.get('limit') ?? '500');
      const next = to < things.length ? { continue: String(to) } : {};
      const metadata = { resourceVersion: String(version), ...next };
      const body = JSON.stringify({ metadata, items: things.slice(from, to).map(sentThing) });
      response.end(isCutOff ? body.slice(0, -10) : body);
    });
  }

  /** A list that is sent as events, which real servers count as a watch. */
  private answerStream(response: ServerResponse): void {
    if (this.streaming === 'refuses') {
      this.refusals += 1;
      refuse(response, 422);
      return;
    }
    this.lists += 1;
    this.streams += 1;
    this.faulty(response, ({ version, things }, isCutOff) => {
      const lines = things.map((thing) => lineOf({ type: 'ADDED', thing })).join('');
      if (this.streaming === 'ignores') response.write(lines);
      else if (isCutOff) response.end(lines);
      else response.write(lines + bookmarkLine(version, true));
    });
  }

  private faulty(response: ServerResponse, send: (world: Snapshot, isCutOff: boolean) => void): void {
    const now = this.truth.snapshot();
    const faults: Record<ListFault, () => void> = {
      'status 429': () => refuse(response, 429),
      'status 500': () => refuse(response, 500),
      'gone 410': () => refuse(response, 410),
      reset: () => response.socket?.resetAndDestroy(),
      'end within the list': () => send(now, true),
      garbage: () => response.end('}{ not json\n'),
      'old list': () => send(this.old, false),
    };
    const fault = this.plan.listFault();
    if (fault === undefined) send(now, false);
    else faults[fault]();
  }

  private answerWatch(query: URLSearchParams, response: ServerResponse): void {
    this.watches += 1;
    this.watchQueries.push(query);
    this.watchQueries.splice(0, this.watchQueries.length - REPEATED_EVENTS);
    const version = Number(query.get('resourceVersion'));
    const missed = this.truth.since(version);
    if (missed === undefined) {
      refuse(response, 410);
      return;
    }
    const { fault, afterEvents } = this.plan.watchFault() ?? { fault: undefined, afterEvents: Infinity };
    const isBreaking = fault !== undefined && !isRepetition(fault);
    const watch = new OpenWatch({
      response,
      fault: isBreaking ? fault : undefined,
      afterEvents: isBreaking ? afterEvents : Infinity,
      repeatsEach: fault === 'duplicates',
      lastsMs: Number(query.get('timeoutSeconds')) * 1000,
      version: () => this.truth.version,
      onNoticed: (ms) => this.noticedMs.push(ms),
      onEvent: () => (this.eventsSent += 1),
    });
    this.open.add(watch);
    response.on('close', () => this.open.delete(watch));
    const repeated = fault === 'old events' ? this.truth.until(version, REPEATED_EVENTS) : [];
    for (const happening of [...repeated, ...missed]) watch.send(happening);
  }
}
