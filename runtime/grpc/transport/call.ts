import { once, type EventEmitter } from 'node:events';
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Body, BodyBudget } from '../../body/budget.ts';
import { encodeBody, type Coding } from '../../body/compression.ts';
import type { RequestError } from '../../errors.ts';
import { chooseRequestId } from '../../inference/request-id.ts';
import { readTimeoutMs } from './deadline.ts';
import { writeFrame, writeFrameOf } from './frames.ts';
import { Receiver, receiveOne, unfold, type HeldFrame, type MessageListener } from './receiver.ts';

const OK = '0';
/** Clients take some 8 KiB of headers, and every byte that is no ASCII takes three of them. */
const LONGEST_MESSAGE = 800;
const loneSurrogate = /\p{Surrogate}/gu;

export interface CallContext {
  readonly revision: string;
  readonly budget: BodyBudget;
  readonly nowMs: number;
  /** Emits `leave` when the server sends its clients away. */
  readonly server: EventEmitter;
}

function readHeader(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

/** `grpc-message`: one line of ASCII. */
function encodeMessage(message: string): string {
  const text = message.length > LONGEST_MESSAGE ? `${message.slice(0, LONGEST_MESSAGE)}…` : message;
  return encodeURI(text.replaceAll(loneSurrogate, '\uFFFD'));
}

/** What a client that may try again needs to know, in words for people and for gRPC's own retries. */
function retryTrailers({ retryAfterSeconds }: RequestError): Record<string, string> {
  if (retryAfterSeconds === undefined) return {};
  return {
    'retry-after': String(retryAfterSeconds),
    'grpc-retry-pushback-ms': String(retryAfterSeconds * 1000),
  };
}

/** One call over gRPC: its metadata, its messages, and the way back. */
export class GrpcCall {
  readonly path: string;
  readonly requestId: string;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #context: CallContext;
  #deadlineAtMs: number | undefined;
  #coding: Coding | undefined;
  #hasBegun = false;
  #isOver = false;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, context: CallContext) {
    this.#stream = stream;
    this.#headers = headers;
    this.#context = context;
    this.path = readHeader(headers, constants.HTTP2_HEADER_PATH) ?? '';
    this.requestId = chooseRequestId(readHeader(headers, 'x-request-id'));
  }

  get isClientGone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  readonly header = (name: string): string | undefined => readHeader(this.#headers, name);

  /** Of performance.now(). */
  get deadlineAtMs(): number | undefined {
    return this.#deadlineAtMs;
  }

  /** Call first. Throws RequestError. */
  readDeadline(): void {
    const timeoutMs = readTimeoutMs(this.header('grpc-timeout'));
    if (timeoutMs !== undefined) this.#deadlineAtMs = this.#context.nowMs + timeoutMs;
  }

  /** Called when the client leaves, or gives up, before it was answered. */
  onHangUp(listener: () => void): void {
    this.#stream.once('close', () => {
      if (!this.#isOver) listener();
    });
  }

  /** Called when the server sends its clients away: a stream without an end has to be given one. */
  onLeave(listener: () => void): void {
    const { server } = this.#context;
    server.once('leave', listener);
    this.#stream.once('close', () => server.off('leave', listener));
  }

  /**
   * The message of a call that has one; `announce` is asked when its length has come, and may throw. Rejects with
   * RequestError or HangUpError.
   */
  receive(announce?: (messageBytes: number) => void): Promise<Body> {
    return receiveOne(this.#stream, this.#context.budget, announce).then((frame) => this.unfold(frame));
  }

  /** The messages of a call that has any number. */
  receiveAll(listener: MessageListener): void {
    new Receiver(this.#stream, this.#context.budget, listener);
  }

  /** A message that is not compressed is its own body. Throws or rejects with RequestError. */
  unfold(frame: HeldFrame): Body | Promise<Body> {
    if (!frame.isCompressed) return frame;
    const encoding = this.header('grpc-encoding');
    // Who sends compressed messages wants compressed answers; who does not has more network than processor.
    this.#coding = encoding === 'deflate' ? 'deflate' : 'gzip';
    return unfold(frame, encoding, this.#context.budget);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** Sends the metadata of a stream of answers, before the first of them. */
  begin(): void {
    if (this.#hasBegun || this.isClientGone) return;
    this.#hasBegun = true;
    const coding = this.#coding === undefined ? {} : { 'grpc-encoding': this.#coding };
    this.#stream.respond({ ...this.#metadata(), ...coding }, { waitForTrailers: true });
  }

  /** One message of a stream; resolves when the client keeps up. */
  async write(message: Buffer): Promise<void> {
    this.begin();
    if (this.isClientGone || this.#stream.write(writeFrame(message, false))) return;
    const over = new AbortController();
    const { signal } = over;
    await Promise.race([
      once(this.#stream, 'drain', { signal }),
      once(this.#stream, 'close', { signal }),
    ]).catch(() => undefined);
    over.abort();
  }

  /** The only message and the end; undefined: it is on its way. */
  answer(message: readonly Buffer[]): Promise<void> | undefined {
    const coding = this.#coding;
    if (coding === undefined) {
      this.#answerWith(writeFrameOf(message));
      return undefined;
    }
    return encodeBody(coding, Buffer.concat(message)).then((encoded) =>
      this.#answerWith([writeFrame(encoded, true)]),
    );
  }

  #answerWith(frame: readonly Buffer[]): void {
    if (this.isClientGone) return;
    this.begin();
    this.#end({ 'grpc-status': OK }, frame);
  }

  /** The end of a stream in which all went well. */
  end(): void {
    if (this.#isOver || this.isClientGone) return;
    this.begin();
    this.#end({ 'grpc-status': OK });
  }

  fail(error: RequestError): void {
    if (this.#isOver || this.isClientGone) return;
    const status = {
      'grpc-status': String(error.grpcCode),
      'grpc-message': encodeMessage(error.message),
      ...retryTrailers(error),
    };
    if (this.#hasBegun) {
      this.#end(status);
      return;
    }
    this.#isOver = true;
    this.#stream.respond({ ...this.#metadata(), ...status }, { endStream: true });
    // What is left of the request is not wanted; a client may go on sending otherwise.
    if (!this.#stream.readableEnded) this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }

  #end(trailers: Record<string, string>, last: readonly Buffer[] = []): void {
    const stream = this.#stream;
    this.#isOver = true;
    stream.once('wantTrailers', () => stream.sendTrailers(trailers));
    if (last.length > 1) stream.cork();
    for (const piece of last.slice(0, -1)) stream.write(piece);
    // The end uncorks too.
    stream.end(last.at(-1));
    stream.resume();
  }

  #metadata(): Record<string, string | number> {
    return {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-accept-encoding': 'identity,gzip,deflate',
      'x-headgate-revision': this.#context.revision,
      'x-request-id': this.requestId,
    };
  }
}
