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
}

/** One request and its answer over HTTP. */
export class Exchange {
  readonly requestId: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly #style: AnswerStyle;

  constructor(request: IncomingMessage, response: ServerResponse, style: AnswerStyle) {
    this.request = request;
    this.response = response;
    this.#style = style;
    this.requestId = chooseRequestId(readHeader(request, 'x-request-id'));
  }

  header(name: string): string | undefined {
    return readHeader(this.request, name);
  }

  get isClientGone(): boolean {
    return this.response.destroyed;
  }

  /** A body that was not read to its end leaves the connection in no state for another request. */
  get #hasUnreadBody(): boolean {
    const { headers, complete } = this.request;
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
    return hasBody && !complete;
  }

  answer(
    status: number,
    body: string | Buffer | Pieces,
    { headers: extraHeaders = [], contentType = 'application/json' }: AnswerOptions = {},
  ): void {
    const pieces = typeof body === 'string' || Buffer.isBuffer(body) ? [body] : body;
    const headers = [
      'content-type',
      contentType,
      'content-length',
      String(countBytes(pieces)),
      'x-headgate-revision',
      this.#style.revision,
      'x-request-id',
      this.requestId,
      ...extraHeaders,
    ];
    if (this.#style.isClosing() || this.#hasUnreadBody) headers.push('connection', 'close');
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
    const { httpStatus, retryAfterSeconds, message } = error;
    const headers = [...extraHeaders];
    if (retryAfterSeconds !== undefined) headers.push('retry-after', String(retryAfterSeconds));
    this.answer(httpStatus, JSON.stringify({ error: message }), { headers });
    return httpStatus;
  }
}
