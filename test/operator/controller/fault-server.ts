import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Thing {
  readonly name: string;
  readonly uid: string;
  readonly version: number;
}

/** An object as the server sends it: more than a cache keeps. */
export interface FaultyObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly managedFields: readonly object[];
  };
  readonly spec: object;
  readonly status: object;
}

export type WatchFault =
  | 'status 500'
  | 'gone 410'
  | 'error event 410'
  | 'error event 500'
  | 'reset within a line'
  | 'garbage line'
  | 'unknown type'
  | 'end within a line'
  | 'silence'
  | 'no answer'
  | 'end at once';

/**
 * A small API server of Pods whose watch breaks in a chosen way: each watch meets the next fault of the list, and
 * only then behaves. Events that come while a fault is in force are in the next list, or in a watch from before them.
 */
export class FaultServer {
  readonly faults: WatchFault[] = [];
  lists = 0;
  watches = 0;
  readonly watchQueries: URLSearchParams[] = [];
  /** Answers every request with this status instead. */
  refuseWith: number | undefined;
  private readonly things = new Map<string, Thing>();
  private readonly removed: Thing[] = [];
  private readonly open = new Set<ServerResponse>();
  private readonly server: Server;
  private version = 10;

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
    return this.open.size;
  }

  put(name: string, uid = name): Thing {
    this.version += 1;
    const type = this.things.has(name) ? 'MODIFIED' : 'ADDED';
    const thing = { name, uid, version: this.version };
    this.things.set(name, thing);
    this.send(type, thing);
    return thing;
  }

  remove(name: string): void {
    this.version += 1;
    const thing = this.things.get(name);
    this.things.delete(name);
    if (thing === undefined) return;
    const removed = { ...thing, version: this.version };
    this.removed.push(removed);
    this.send('DELETED', removed);
  }

  /** An event out of turn, which the list knows nothing of. */
  send(type: string, thing: Thing): void {
    this.write(`${JSON.stringify({ type, object: objectOf(thing) })}\n`);
  }

  write(text: string): void {
    for (const response of this.open) response.write(text);
  }

  endWatches(): void {
    for (const response of this.open) response.end();
    this.open.clear();
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (this.refuseWith !== undefined) {
      response.writeHead(this.refuseWith).end('{}');
      return;
    }
    if (url.searchParams.get('watch') === 'true') this.answerWatch(url.searchParams, response);
    else this.answerList(url.searchParams, response);
  }

  private answerList(query: URLSearchParams, response: ServerResponse): void {
    this.lists += 1;
    const all = [...this.things.values()].map(objectOf);
    const from = Number(query.get('continue') ?? '0');
    const to = from + Number(query.get('limit') ?? '500');
    const metadata = {
      resourceVersion: String(this.version),
      ...(to < all.length ? { continue: String(to) } : {}),
    };
    response.end(JSON.stringify({ metadata, items: all.slice(from, to) }));
  }

  private answerWatch(query: URLSearchParams, response: ServerResponse): void {
    this.watches += 1;
    this.watchQueries.push(query);
    const fault = this.faults.shift();
    if (fault !== undefined) {
      breakWatch(fault, response);
      return;
    }
    response.writeHead(200).flushHeaders();
    this.open.add(response);
    response.on('close', () => this.open.delete(response));
    this.replay(Number(query.get('resourceVersion')), response);
  }

  /** What a watch that begins at a version gets to see first. */
  private replay(fromVersion: number, response: ServerResponse): void {
    const events = [
      ...[...this.things.values()].map((thing) => ({ type: 'ADDED', thing })),
      ...this.removed.map((thing) => ({ type: 'DELETED', thing })),
    ];
    for (const { type, thing } of events.sort((left, right) => left.thing.version - right.thing.version)) {
      if (thing.version <= fromVersion) continue;
      response.write(`${JSON.stringify({ type, object: objectOf(thing) })}\n`);
    }
  }
}

function breakWatch(fault: WatchFault, response: ServerResponse): void {
  const half = '{"type":"ADDED","object":{"metadata":{"name":"ha';
  const error = (code: number): string =>
    `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code, reason: 'Expired', message: 'too old' } })}\n`;
  const breakers: Record<WatchFault, () => void> = {
    'status 500': () => response.writeHead(500).end('oh no'),
    'gone 410': () => response.writeHead(410).end(JSON.stringify({ reason: 'Expired', message: 'too old' })),
    'error event 410': () => response.end(error(410)),
    'error event 500': () => response.end(error(500)),
    'reset within a line': () => response.write(half, () => response.socket?.resetAndDestroy()),
    'garbage line': () => response.write('}{ not json\n'),
    'unknown type': () =>
      response.write('{"type":"SURPRISE","object":{"metadata":{"resourceVersion":"9"}}}\n'),
    'end within a line': () => response.end(half),
    silence: () => response.writeHead(200).flushHeaders(),
    'no answer': () => undefined,
    'end at once': () => response.end(),
  };
  breakers[fault]();
}

function objectOf({ name, uid, version }: Thing): FaultyObject {
  return {
    metadata: {
      ...{ name, uid, namespace: 'ml', resourceVersion: String(version) },
      managedFields: [{ manager: 'somebody' }],
      labels: { owner: 'fraud' },
    },
    spec: { nodeName: 'large and unread' },
    status: { phase: 'Running' },
  };
}
