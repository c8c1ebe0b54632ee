import { EventEmitter } from 'node:events';
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Logger } from 'winston';
import type { BodyBudget } from '../../body/budget.ts';
import { RequestError } from '../../errors.ts';
import { HangUpError } from '../../inference/inference-service.ts';
import { GrpcCall } from './call.ts';

/** Answers calls of one path; what it throws is answered as an error. */
export type Method = (call: GrpcCall) => void | Promise<void>;

export interface GrpcServerOptions {
  readonly methods: ReadonlyMap<string, Method>;
  readonly revision: string;
  readonly budget: BodyBudget;
  readonly log: Logger;
  readonly onConnection: () => void;
}

const MEBIBYTE = 2 ** 20;
/** A proxy sends all of its requests over one connection, and a queue holds hundreds. */
const MOST_STREAMS = 2048;
/** What a client may send before it is read: large tensors should not wait for a round trip every 64 KiB. */
const STREAM_WINDOW_BYTES = MEBIBYTE;
const CONNECTION_WINDOW_BYTES = 4 * MEBIBYTE;
/** Node counts answers that are under way too, and one may be large. */
const SESSION_MEMORY_MEBIBYTES = 1024;
/** Calls that a client may cancel at once and per second: deadlines end many together when a server is overloaded. */
const RESETS_AT_ONCE = 10_000;
const RESETS_PER_SECOND = 2_000;
/** Finds connections whose other end has vanished without a word. */
const KEEP_ALIVE_PROBE_MS = 30_000;
const UNSUPPORTED_MEDIA_TYPE = 415;

/**
 * gRPC over node:http2. @grpc/grpc-js counts no bytes while they come in or unfold, so a few small requests could fill
 * the container's memory; docs/decisions/0050 has the measurements.
 */
export class GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #leaving = new EventEmitter();

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    // As many streams without an end as there are.
    this.#leaving.setMaxListeners(0);
    this.#server = createServer({
      maxSessionMemory: SESSION_MEMORY_MEBIBYTES,
      settings: { maxConcurrentStreams: MOST_STREAMS, initialWindowSize: STREAM_WINDOW_BYTES },
      streamResetBurst: RESETS_AT_ONCE,
      streamResetRate: RESETS_PER_SECOND,
    });
    this.#server.on('connection', (socket: Socket) => {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, KEEP_ALIVE_PROBE_MS);
      options.onConnection();
    });
    this.#server.on('session', (session: ServerHttp2Session) => this.#follow(session));
    this.#server.on('stream', (stream, headers) => void this.#handle(stream, headers));
    // Whoever speaks no HTTP/2 loses the connection, and that is all there is to it.
    this.#server.on('sessionError', () => undefined);
  }

  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  /** Asks every client to open another connection: what it sends on the present one is answered, or known unseen. */
  sendClientsAway(): void {
    this.#leaving.emit('leave');
    for (const session of this.#sessions) session.close();
  }

  /** Takes no new connection and waits for the calls that are open. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.sendClientsAway();
    });
  }

  closeByForce(): void {
    for (const session of this.#sessions) session.destroy();
  }

  #follow(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
  }

  async #handle(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    // A stream that breaks is closed too, which is what everybody listens to.
    stream.on('error', () => undefined);
    // With its listeners, one stream in three would live until the next full collection (decision 0048).
    stream.once('close', () => stream.removeAllListeners());
    if (!headers['content-type']?.startsWith('application/grpc')) {
      stream.respond({ ':status': UNSUPPORTED_MEDIA_TYPE }, { endStream: true });
      stream.resume();
      return;
    }
    const { methods, revision, budget } = this.#options;
    const context = { revision, budget, nowMs: performance.now(), server: this.#leaving };
    const call = new GrpcCall(stream, headers, context);
    try {
      call.readDeadline();
      const method = methods.get(call.path);
      if (method === undefined)
        throw new RequestError('UnknownRoute', `there is no method ${call.path.slice(0, 200)}`);
      await method(call);
    } catch (error) {
      if (!(error instanceof HangUpError)) call.fail(this.#asRequestError(error, call.requestId));
    }
  }

  #asRequestError(error: unknown, requestId: string): RequestError {
    if (error instanceof RequestError) return error;
    this.#options.log.error('a request failed inside the server', {
      requestId,
      cause: (error as Error).stack,
    });
    return new RequestError(
      'InternalError',
      `the server failed; its log has the cause under request id ${requestId}`,
    );
  }
}
