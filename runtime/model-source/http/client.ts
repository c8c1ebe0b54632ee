import type { LookupAddress } from 'node:dns';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { request as requestByHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { request as requestByHttp } from '../../node-http.ts';
import { TransientError } from '../persist.ts';
import type { AddressGuard } from './address-guard.ts';

export type Headers = Readonly<Record<string, string>>;

export interface Ask {
  readonly url: URL;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Headers;
  readonly body?: string;
}

export interface Answer {
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: IncomingMessage;
}

/** For the connection, for the headers, and between any two pieces of the body. */
const SILENCE_LIMIT_MS = 30_000;

/**
 * Every byte that the runtime asks of the network for its model goes through here. Follows no redirects, uses no proxy
 * and keeps no connection: each one goes to an address that the guard has admitted for it.
 */
export class HttpClient {
  readonly guard: AddressGuard;
  readonly #silenceLimitMs: number;

  constructor(guard: AddressGuard, silenceLimitMs = SILENCE_LIMIT_MS) {
    this.guard = guard;
    this.#silenceLimitMs = silenceLimitMs;
  }

  /** Whoever asks has to read the answer's body or destroy it. Rejects with TransientError or StartFailure. */
  async send({ url, method = 'GET', headers = {}, body }: Ask): Promise<Answer> {
    const addresses = await this.guard.admit(url);
    const request = url.protocol === 'https:' ? requestByHttps : requestByHttp;
    return await new Promise((resolve, reject) => {
      const sent = request(url, {
        method,
        headers,
        agent: false,
        lookup: answerWith(addresses),
        timeout: this.#silenceLimitMs,
      });
      let answering: IncomingMessage | undefined;
      sent.on('timeout', () =>
        (answering ?? sent).destroy(
          new TransientError(`nothing arrived for ${this.#silenceLimitMs / 1000} s`),
        ),
      );
      sent.on('error', (error) => reject(asTransient(error)));
      sent.on('response', (response) => {
        answering = response;
        resolve({ url, status: response.statusCode ?? 0, headers: response.headers, body: response });
      });
      sent.end(body);
    });
  }
}

/** Node asks for the addresses of every name that it connects to; it gets those that were looked at. */
function answerWith(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, { all }, answer) => {
    const [first] = addresses;
    if (all === true || first === undefined) answer(null, [...addresses]);
    else answer(null, first.address, first.family);
  };
}

export function asTransient(error: unknown): TransientError {
  if (error instanceof TransientError) return error;
  const { message, code } = error as NodeJS.ErrnoException;
  return new TransientError(message === '' ? (code ?? 'the connection failed') : message, { cause: error });
}

/** The text of a small answer, such as a token or a manifest. */
export async function readText({ body }: Answer, mostBytes = 1 << 20): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > mostBytes) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw asTransient(error);
  }
  if (bytes > mostBytes) throw new Error(`the answer is larger than ${mostBytes} bytes`);
  return Buffer.concat(chunks).toString();
}
