import type { Readable, Transform } from 'node:stream';
import type { Body, BodyBudget } from '../../body/budget.ts';
import { createDecoder } from '../../body/compression.ts';
import { RequestError } from '../../errors.ts';
import { HangUpError } from '../../inference/inference-service.ts';
import { FrameReader, type Frame } from './frames.ts';

/** One message is complete within this time of its first byte, as bodies are over HTTP: what is half here takes memory. */
const MESSAGE_LIMIT_MS = 300_000;

export interface MessageListener {
  /** A message of that length begins; what this throws ends the call. */
  onLength?(messageBytes: number): void;
  onFrame(frame: HeldFrame): void;
  onEnd(): void;
  /** RequestError or HangUpError; nothing comes after it. */
  onFailure(error: Error): void;
}

/** A message that counts against the budget until it is released. */
export class HeldFrame implements Body {
  readonly isCompressed: boolean;
  readonly bytes: Buffer;
  readonly #block: ArrayBuffer | undefined;
  readonly #budget: BodyBudget;
  #isHeld = true;

  constructor({ isCompressed, bytes, block }: Frame, budget: BodyBudget) {
    this.isCompressed = isCompressed;
    this.bytes = bytes;
    this.#block = block;
    this.#budget = budget;
  }

  /** A message that nobody reads any more lends its memory to others. */
  release(isUnread = false): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#budget.release(this.bytes.length);
    if (isUnread && this.#block !== undefined) this.#budget.blocks.giveBack(this.#block);
  }
}

/** Takes messages from a stream, counting every byte against the budget as it comes. */
export class Receiver {
  readonly #source: Readable;
  readonly #budget: BodyBudget;
  readonly #listener: MessageListener;
  readonly #frames: FrameReader;
  #held = 0;
  #isOver = false;
  #limit: NodeJS.Timeout | undefined;

  constructor(source: Readable, budget: BodyBudget, listener: MessageListener) {
    this.#source = source;
    this.#budget = budget;
    this.#listener = listener;
    const check = (messageBytes: number): void => {
      budget.checkSize(messageBytes);
      listener.onLength?.(messageBytes);
    };
    this.#frames = new FrameReader(check, budget.blocks);
    source.on('data', (chunk: Buffer) => this.#take(chunk));
    source.once('end', () => this.#end());
    source.once('close', () => {
      // An error takes a stack with it, which costs more than all else here: not for every call that ends well.
      if (!this.#isOver) this.#fail(new HangUpError());
    });
  }

  #take(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#budget.reserve(chunk.length);
      this.#held += chunk.length;
      for (const frame of this.#frames.push(chunk)) this.#hand(frame);
      this.#watchHalves();
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #hand(frame: Frame): void {
    // What the prefix took is given back with the message.
    this.#held -= frame.bytes.length;
    this.#listener.onFrame(new HeldFrame(frame, this.#budget));
  }

  #watchHalves(): void {
    if (!this.#frames.isWithinFrame) {
      this.#forget();
      return;
    }
    this.#limit ??= setTimeout(
      () => this.#fail(new RequestError('DeadlineExceeded', 'the rest of the message did not come')),
      MESSAGE_LIMIT_MS,
    );
  }

  #end(): void {
    if (this.#isOver) return;
    if (this.#frames.isWithinFrame) {
      this.#fail(new RequestError('MalformedRequest', 'the request ends within a message'));
      return;
    }
    this.#isOver = true;
    this.#forget();
    this.#listener.onEnd();
  }

  #fail(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#forget();
    this.#source.removeAllListeners('data');
    // What still arrives is thrown away, so that the client can read the refusal.
    this.#source.resume();
    this.#listener.onFailure(error);
  }

  /** Gives back what no message has taken with it. */
  #forget(): void {
    clearTimeout(this.#limit);
    this.#limit = undefined;
    this.#budget.release(this.#held);
    this.#held = 0;
  }
}

function tooMany(): RequestError {
  return new RequestError('MalformedRequest', 'expected one message, got more');
}

/** The one message of a call whose request is no stream. */
export function receiveOne(
  source: Readable,
  budget: BodyBudget,
  onLength: (messageBytes: number) => void = () => undefined,
): Promise<HeldFrame> {
  return new Promise((resolve, reject) => {
    let received: HeldFrame | undefined;
    const fail = (error: Error): void => {
      received?.release();
      reject(error);
    };
    new Receiver(source, budget, {
      onLength,
      onFrame(frame) {
        if (received === undefined) received = frame;
        else {
          frame.release();
          throw tooMany();
        }
      },
      onEnd() {
        if (received === undefined)
          reject(new RequestError('MalformedRequest', 'expected one message, got none'));
        else resolve(received);
      },
      onFailure: fail,
    });
  });
}

function decoderFor(encoding: string | undefined): Transform {
  const decoder = createDecoder(encoding);
  if (decoder !== undefined) return decoder;
  throw new RequestError(
    'MalformedRequest',
    'a message is marked as compressed; expected the header grpc-encoding',
  );
}

/** A compressed message as it was before; its plain bytes are bounded and counted while they unfold. */
export async function unfold(
  frame: HeldFrame,
  encoding: string | undefined,
  budget: BodyBudget,
): Promise<Body> {
  const chunks: Buffer[] = [];
  let length = 0;
  const release = (): void => budget.release(length);
  try {
    const decoder = decoderFor(encoding);
    decoder.end(frame.bytes);
    for await (const chunk of decoder as AsyncIterable<Buffer>) {
      budget.checkSize(length + chunk.length);
      budget.reserve(chunk.length);
      length += chunk.length;
      chunks.push(chunk);
    }
    return { bytes: Buffer.concat(chunks), release };
  } catch (error) {
    release();
    if (error instanceof RequestError) throw error;
    throw new RequestError(
      'MalformedRequest',
      `a message is not what grpc-encoding says: expected complete ${encoding ?? ''} data`,
    );
  } finally {
    frame.release();
  }
}
