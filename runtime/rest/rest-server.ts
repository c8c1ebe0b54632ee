import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'winston';
import { RequestError } from '../errors.ts';
import { createServer } from '../node-http.ts';
import { Exchange, type AnswerStyle } from './exchange.ts';
import { explainUnknownPath, type Route } from './routes.ts';

export interface RestServerOptions {
  readonly modelName: string;
  readonly routes: ReadonlyMap<string, Route>;
  readonly style: AnswerStyle;
  readonly log: Logger;
  readonly onConnection: () => void;
}

/** Longer than the idle timeout of proxies (60 s): it must be them who close, or they send into a closed connection. */
const KEEP_ALIVE_MS = 75_000;

const statusOfClientError = new Map([
  ['HPE_HEADER_OVERFLOW', '431 Request Header Fields Too Large'],
  ['ERR_HTTP_REQUEST_TIMEOUT', '408 Request Timeout'],
]);

/** The Open Inference Protocol over plain node:http: express costs 2.7 times as much on this path. */
export class RestServer {
  readonly #options: RestServerOptions;
  readonly #server: Server;

  constructor(options: RestServerOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => this.#handle(request, response));
    // Node would let the body come before anybody has looked whether it is wanted.
    this.#server.on('checkContinue', (request, response) => this.#handle(request, response));
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS;
    this.#server.on('connection', options.onConnection);
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) =>
      this.#refuseNonsense(error, socket),
    );
  }

  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  /** Takes no new connection, closes the idle ones and waits for the others to finish. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  closeByForce(): void {
    this.#server.closeAllConnections();
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const exchange = new Exchange(request, response, this.#options.style);
    const fail = (error: unknown): void => {
      exchange.answerError(this.#asRequestError(error, exchange.requestId));
    };
    try {
      const handling = this.#route(exchange)?.handle(exchange);
      if (handling instanceof Promise) handling.catch(fail);
    } catch (error) {
      fail(error);
    }
  }

  #route(exchange: Exchange): Route | undefined {
    const { url = '/', method } = exchange.request;
    const queryAt = url.indexOf('?');
    const path = queryAt < 0 ? url : url.slice(0, queryAt);
    const route = this.#options.routes.get(path);
    if (route === undefined) throw explainUnknownPath(path, this.#options.modelName);
    if (route.method === method) return route;
    const error = new RequestError(
      'MethodNotAllowed',
      `expected ${route.method} for ${path}, got ${method ?? 'none'}`,
    );
    exchange.answer(error.httpStatus, JSON.stringify({ error: error.message }), {
      headers: ['allow', route.method],
    });
    return undefined;
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

  /** What is no HTTP never becomes a request, yet its sender gets an answer too. */
  #refuseNonsense(error: NodeJS.ErrnoException, socket: Duplex): void {
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const status = statusOfClientError.get(error.code ?? '') ?? '400 Bad Request';
    const body = JSON.stringify({ error: `the request is not valid HTTP: ${status.slice(4)}` });
    socket.end(
      [
        `HTTP/1.1 ${status}`,
        'connection: close',
        'content-type: application/json',
        `content-length: ${Buffer.byteLength(body)}`,
        `x-headgate-revision: ${this.#options.style.revision}`,
        `x-request-id: ${randomUUID()}`,
        '',
        body,
      ].join('\r\n'),
    );
  }
}
