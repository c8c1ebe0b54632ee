import type { IncomingMessage, ServerResponse } from 'node:http';
import { countBytes, type Pieces } from '../body/pieces.ts';
import type { RequestError } from '../errors.ts';
import { chooseRequestId } from '../inference/request-id.ts';

function readHeader(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

export interface AnswerStyle {
  readonly revision: string;
  /** The server is leaving: tell the client to open its next connection elsewhere. */
  readonly isClosing: () => boolean;
}

export interface AnswerOptions {
  /** Names and values by turns. */
  readonly headers?: readonly string[];
  readonly contentType?: string;
  /** The connection stays for another request, after a body of known length that nobody reads. */
  readonly drains?: boolean;
}

/** One request and its answer over HTTP. */
export class Exchange {
  readonly requestId: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly #style: AnswerStyle;
  /** The client waits for a word before it sends the body. */
  #isAsked: boolean;

  constructor(request: IncomingMessage, response: ServerResponse, style: AnswerStyle) {
    this.request = request;
    this.response = response;
    this.#style = style;
    this.#isAsked = request.headers.expect !== undefined && request.httpVersion === '1.1';
    this.requestId = chooseRequestId(readHeader(request, 'x-request-id'));
  }

  header(name: string): string | undefined {
    return readHeader(this.request, name);
  }

  get isClientGone(): boolean {
    return this.response.destroyed;
  }

  /** What the client says that it sends; undefined where it does not say. */
  get bodyBytes(): number | undefined {
    const { headers } = this.request;
    if (headers['transfer-encoding'] !== undefined) return undefined;
    return Number(headers['content-length'] ?? 0);
  }

  /** Tells a client that asks before it sends (`Expect: 100-continue`) to send. Call before the body is read. */
  acceptBody(): void {
    if (this.#isAsked) this.response.writeContinue();
    this.#isAsked = false;
  }

  /**
   * A body that was not read to its end leaves the connection in no state for another request, unless it is thrown away
   * as it comes. That costs less than another connection, and a client that is still sending when its connection is
   * closed may never read why.
   */
  #leavesBody(drains: boolean): boolean {
    const bytes = this.bodyBytes;
    const isUnread = bytes !== 0 && !this.request.complete;
    return isUnread && !(drains && bytes !== undefined && !this.#isAsked);
  }

  answer(
    status: number,
    body: string | Buffer | Pieces,
    { headers: extraHeaders = [], contentType = 'application/json', drains = false }: AnswerOptions = {},
  ): void {
    const pieces = typeof body === 'string' || Buffer.isBuffer(body) ? [body] : body;
    const bytes = countBytes(pieces);
    const headers = [
      'content-type',
      contentType,
      'content-length',
      String(bytes),
      'x-headgate-revision',
      this.#style.revision,
      'x-request-id',
      this.requestId,
      ...extraHeaders,
    ];
    if (this.#style.isClosing() || this.#leavesBody(drains)) headers.push('connection', 'close');
    this.response.writeHead(status, headers);
    this.#send(pieces);
  }

  /** All in one system call, as far as the socket takes it. */
  #send(pieces: Pieces): void {
    const { response } = this;
    if (pieces.length > 1) response.cork();
    for (const piece of pieces.slice(0, -1)) response.write(piece);
    // The end uncorks too.
    response.end(pieces.at(-1));
  }

  /** Answers with the error and tells the status that it meant. */
  answerError(error: RequestError, extraHeaders: readonly string[] = []): number {
    const { reason, httpStatus, retryAfterSeconds, message } = error;
    const headers = [...extraHeaders];
    if (retryAfterSeconds !== undefined) headers.push('retry-after', String(retryAfterSeconds));
    // Of what is too much all together, each by itself is no more than is read at other times.
    this.answer(httpStatus, JSON.stringify({ error: message }), { headers, drains: reason === 'Overloaded' });
    return httpStatus;
  }
}
