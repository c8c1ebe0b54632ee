import type { IncomingMessage } from 'node:http';
import { RequestError } from '../errors.ts';

/** The client ended the connection before its request was complete. */
export class HangUpError extends Error {}

const LARGEST_SHARE_BYTES = 256 * 2 ** 20;

/**
 * What all bodies together may take of a container's memory (0: unlimited). On its way a body is in memory three to
 * four times, as pieces, text, tensors and frame: an eighth leaves as much again for the server and the model.
 */
export function shareOfMemory(memoryBytes: number): number {
  const share = Math.floor(memoryBytes / 8);
  return share === 0 ? LARGEST_SHARE_BYTES : Math.min(LARGEST_SHARE_BYTES, share);
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

export function readBody(request: IncomingMessage, budget: BodyBudget): Promise<Body> {
  const reader = new BodyReader(budget);
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      reader.release();
      request.removeAllListeners('data');
      // What still arrives is thrown away, so that the client can read the refusal.
      request.resume();
      reject(error);
    };
    try {
      budget.checkSize(Number(request.headers['content-length'] ?? 0));
    } catch (error) {
      fail(error as Error);
      return;
    }
    request.on('data', (chunk: Buffer) => {
      try {
        reader.add(chunk);
      } catch (error) {
        fail(error as Error);
      }
    });
    request.once('end', () => resolve(reader.finish()));
    request.once('close', () => {
      if (!request.complete) fail(new HangUpError());
    });
    request.once('error', () => fail(new HangUpError()));
  });
}
