import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import { answeredError } from './api-status.ts';
import { ApiError, messageOf, OutOfTermError } from './errors.ts';
import type { Connection } from './connection.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Gives the request up. */
  readonly signal?: AbortSignal;
  /** Called in the tick in which the request goes out; what it throws holds the request back. */
  readonly beforeSending?: () => void;
}

export interface StreamOptions {
  /** The stream is broken off when nothing arrives for so long. */
  readonly idleMs: number;
  readonly signal: AbortSignal;
}

/** Requests to the API server: JSON in, JSON out, and anything but a 2xx is an `ApiError`. */
export interface Transport {
  request(request: ApiRequest): Promise<unknown>;
  /** The lines of an answer that does not end; throws when it ends within a line. */
  lines(request: ApiRequest, options: StreamOptions): AsyncGenerator<string, void, undefined>;
}

/** Told of every answer; code 0 means that none came. */
export type AnswerListener = (verb: string, code: number) => void;

/** Nothing arrived on an answer that does not end; the other side may be gone, or have nothing to say. */
export class SilenceError extends Error {
  override readonly name = 'SilenceError';
}

const REQUEST_TIMEOUT_MS = 15_000;
/** etcd holds no object of more than a few MiB: a line that never ends comes from something else. */
const LONGEST_LINE = 16 * 2 ** 20;
/** Keeps a crash of the peer's machine from looking like a quiet watch. */
const TCP_KEEP_ALIVE_MS = 15_000;

export interface TransportOptions {
  /** By which the API server's audit log tells one process from another. */
  readonly userAgent?: string;
  readonly onAnswer?: AnswerListener;
}

export function createTransport(
  connection: Connection,
  { userAgent = 'headgate', onAnswer = () => undefined }: TransportOptions = {},
): Transport {
  return {
    async request(request) {
      const verb = request.method.toLowerCase();
      try {
        const signals = [AbortSignal.timeout(REQUEST_TIMEOUT_MS), request.signal].filter(isPresent);
        const answer = await send(connection, request, { userAgent, signal: AbortSignal.any(signals) });
        const body = await text(answer);
        onAnswer(verb, answer.statusCode ?? 0);
        refuse(connection, answer, body);
        return JSON.parse(body) as unknown;
      } catch (error) {
        if (error instanceof ApiError || error instanceof OutOfTermError) throw error;
        onAnswer(verb, 0);
        throw new Error(`${request.method} ${request.path}: ${messageOf(error)}`, { cause: error });
      }
    },
    lines: (request, options) => streamLines(connection, request, { ...options, userAgent, onAnswer }),
  };
}

async function* streamLines(
  connection: Connection,
  request: ApiRequest,
  options: StreamOptions & Required<TransportOptions>,
): AsyncGenerator<string, void, undefined> {
  const idle = new AbortController();
  const timer = setTimeout(
    () => idle.abort(new SilenceError(`nothing arrived for ${options.idleMs} ms`)),
    options.idleMs,
  );
  let answer: IncomingMessage | undefined;
  try {
    const signal = AbortSignal.any([options.signal, idle.signal]);
    answer = await send(connection, request, { userAgent: options.userAgent, signal });
    options.onAnswer('watch', answer.statusCode ?? 0);
    if (!isSuccess(answer)) refuse(connection, answer, await text(answer));
    yield* linesOf(answer, () => timer.refresh());
  } catch (error) {
    if (!idle.signal.aborted) throw error;
    throw answer === undefined ? new Error(`no answer within ${options.idleMs} ms`) : idle.signal.reason;
  } finally {
    clearTimeout(timer);
    answer?.destroy();
  }
}

async function* linesOf(
  answer: IncomingMessage,
  onData: () => void,
): AsyncGenerator<string, void, undefined> {
  let rest = '';
  for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
    onData();
    const [first = '', ...others] = chunk.split('\n');
    const lines = [rest + first, ...others];
    rest = lines.pop() ?? '';
    if (rest.length > LONGEST_LINE) throw new Error(`a line is longer than ${LONGEST_LINE} characters`);
    yield* lines.filter((line) => line !== '');
  }
  if (rest !== '') throw new Error('the answer ended within a line');
}

async function send(
  connection: Connection,
  request: ApiRequest,
  { userAgent, signal }: { readonly userAgent: string; readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  const credentials = await connection.credentials();
  const url = new URL(`${connection.baseUrl.pathname.replace(/\/$/, '')}${request.path}`, connection.baseUrl);
  url.search = new URLSearchParams(request.query).toString();
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const options: RequestOptions = {
    ...credentials,
    method: request.method,
    signal,
    headers: {
      ...(credentials.headers as Record<string, string> | undefined),
      accept: 'application/json',
      'user-agent': userAgent,
      ...(body === undefined
        ? {}
        : {
            'content-type': request.contentType ?? 'application/json',
            'content-length': Buffer.byteLength(body),
          }),
    },
  };
  request.beforeSending?.();
  return await new Promise((resolve, reject) => {
    const sending = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, options, resolve);
    sending.on('error', reject);
    sending.on('socket', (socket) => socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS));
    sending.end(body);
  });
}

function isSuccess(answer: IncomingMessage): boolean {
  const status = answer.statusCode ?? 0;
  return status >= 200 && status < 300;
}

/** Throws unless the answer is a success. Credentials that are refused are read anew for the next request. */
function refuse(connection: Connection, answer: IncomingMessage, body: string): void {
  if (isSuccess(answer)) return;
  const { statusCode: status = 0, headers } = answer;
  if (status === 401) connection.renew();
  throw answeredError(status, body, headers['retry-after']);
}

function isPresent<Value>(value: Value | undefined): value is Value {
  return value !== undefined;
}
