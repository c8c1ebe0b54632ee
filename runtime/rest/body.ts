import type { IncomingMessage } from 'node:http';
import { RequestError } from '../errors.ts';
import { HangUpError } from '../inference/inference-service.ts';
import { createDecoder } from './compression.ts';

const MEBIBYTE = 2 ** 20;
const BROKEN_CODING =
  'the body is not what its content-encoding says: expected complete gzip or deflate data';
const LARGEST_SHARE_BYTES = 256 * MEBIBYTE;
const SMALLEST_SHARE_BYTES = 4 * MEBIBYTE;
/** What the two processes need with a small model under load, before the first large body. */
const OWN_BYTES = 128 * MEBIBYTE;
/** How often a body is in memory on its way, as pieces, text, tensors and frame, with what is not yet collected. */
const COPIES = 6;

/** What all bodies together may take of a container's memory (0: unlimited); measured in containers from 256 MiB up. */
export function shareOfMemory(memoryBytes: number): number {
  if (memoryBytes === 0) return LARGEST_SHARE_BYTES;
  const share = Math.floor((memoryBytes - OWN_BYTES) / COPIES);
  return Math.min(LARGEST_SHARE_BYTES, Math.max(SMALLEST_SHARE_BYTES, share));
}

/** Bytes of all request bodies in memory: the queue is bounded in requests, this bounds what they weigh. */
export class BodyBudget {
  readonly #requestMaxBytes: number;
  readonly #totalMaxBytes: number;
  #used = 0;

  constructor(requestMaxBytes: number, totalMaxBytes: number) {
    // What can never fit is too large, and not to be tried again later.
    this.#requestMaxBytes = Math.min(requestMaxBytes, totalMaxBytes);
    this.#totalMaxBytes = totalMaxBytes;
  }

  checkSize(bytes: number): void {
    if (bytes <= this.#requestMaxBytes) return;
    throw new RequestError(
      'RequestTooLarge',
      `the body is too large: expected at most ${this.#requestMaxBytes} bytes, got ${bytes} or more`,
    );
  }

  reserve(bytes: number): void {
    if (this.#used + bytes > this.#totalMaxBytes) {
      throw new RequestError('Overloaded', 'the bodies of the waiting requests fill their memory', 1);
    }
    this.#used += bytes;
  }

  release(bytes: number): void {
    this.#used -= bytes;
  }
}

export interface Body {
  readonly bytes: Buffer;
  /** Gives the memory back to the budget; once. */
  release(): void;
}

class BodyReader {
  readonly #budget: BodyBudget;
  readonly #chunks: Buffer[] = [];
  #length = 0;

  constructor(budget: BodyBudget) {
    this.#budget = budget;
  }

  add(chunk: Buffer): void {
    this.#budget.checkSize(this.#length + chunk.length);
    this.#budget.reserve(chunk.length);
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  release(): void {
    this.#budget.release(this.#length);
    this.#length = 0;
  }

  finish(): Body {
    const [first] = this.#chunks;
    const bytes = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks);
    return { bytes, release: () => this.release() };
  }
}

/** The plain bytes of the body, whatever its coding. Rejects with RequestError or HangUpError. */
export function readBody(request: IncomingMessage, budget: BodyBudget): Promise<Body> {
  const decoder = createDecoder(request.headers['content-encoding']);
  const reader = new BodyReader(budget);
  return new Promise((resolve, reject) => {
    const source = decoder === undefined ? request : request.pipe(decoder);
    const fail = (error: Error): void => {
      reader.release();
      source.removeAllListeners('data');
      request.unpipe();
      // What still arrives is thrown away, so that the client can read the refusal.
      request.resume();
      decoder?.destroy();
      reject(error);
    };
    try {
      budget.checkSize(Number(request.headers['content-length'] ?? 0));
    } catch (error) {
      fail(error as Error);
      return;
    }
    source.on('data', (chunk: Buffer) => {
      try {
        reader.add(chunk);
      } catch (error) {
        fail(error as Error);
      }
    });
    source.once('end', () => resolve(reader.finish()));
    decoder?.once('error', () => fail(new RequestError('MalformedRequest', BROKEN_CODING)));
    request.once('close', () => {
      if (!request.complete) fail(new HangUpError());
    });
    request.once('error', () => fail(new HangUpError()));
  });
}
