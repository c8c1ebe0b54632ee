import { RequestError } from '../errors.ts';
import { MemoryBlocks } from '../memory/blocks.ts';
import { youngMemory } from '../memory/young.ts';

const MEBIBYTE = 2 ** 20;
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
  readonly blocks = new MemoryBlocks();
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
    youngMemory.take(bytes);
  }

  release(bytes: number): void {
    this.#used -= bytes;
  }
}

export interface Body {
  readonly bytes: Buffer;
  /** Gives the bytes back to the budget; once. Those that nobody reads any more may serve another body. */
  release(isUnread?: boolean): void;
}
