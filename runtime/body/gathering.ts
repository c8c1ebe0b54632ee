import type { MemoryBlocks } from '../memory/blocks.ts';

/** What is smaller comes in one or two pieces, which can be joined once all are there. */
const LARGE_BYTES = 131_072;
const SHARE_OF_A_CLAIM = 0.25;
/** Of the widest numbers. */
const ALIGNMENT_BYTES = 8;

/** Whether to take memory for all that is claimed to come: once enough of it has come for the claim to cost its maker. */
export function isWorthGathering(claimedBytes: number, arrivedBytes: number): boolean {
  return claimedBytes >= LARGE_BYTES && arrivedBytes >= claimedBytes * SHARE_OF_A_CLAIM;
}

/** Bytes of a known number, put together in one block as they come. */
export class Gathering {
  readonly block: ArrayBuffer;
  readonly bytes: Buffer;
  #filled = 0;

  /** What begins at `alignedAt` can be used as numbers where it lies. */
  constructor(blocks: MemoryBlocks, length: number, alignedAt: number) {
    const padding = -alignedAt & (ALIGNMENT_BYTES - 1);
    this.block = blocks.take(padding + length);
    this.bytes = Buffer.from(this.block, padding, length);
  }

  get isComplete(): boolean {
    return this.#filled === this.bytes.length;
  }

  /** Takes what belongs here; gives the rest. */
  add(piece: Buffer): Buffer {
    const taken = piece.copy(this.bytes, this.#filled);
    this.#filled += taken;
    return piece.subarray(taken);
  }
}
