import { youngMemory } from './young.ts';

/** What is smaller costs the collector little. */
export const SMALLEST_BLOCK_BYTES = 65_536;
const MOST_KEPT_BYTES = 16 * 2 ** 20;
const MOST_KEPT_BLOCKS = 64;

/**
 * Blocks of memory for large bodies, used again by the next ones. Node counts memory outside of its heap too, and its
 * collector runs in full for every few tens of megabytes of it: with a new block for each image, that took a third of
 * the serving process.
 */
export class MemoryBlocks {
  /** Oldest first. */
  readonly #kept: ArrayBuffer[] = [];
  #keptBytes = 0;

  /** At least so many bytes, with whatever lies in them. */
  take(bytes: number): ArrayBuffer {
    const index = this.#kept.findLastIndex((block) => fits(block, bytes));
    const [block] = index < 0 ? [] : this.#kept.splice(index, 1);
    if (block === undefined) return newBlock(bytes);
    this.#keptBytes -= block.byteLength;
    return block;
  }

  /** Pre: nobody reads or writes it any more. */
  giveBack(block: ArrayBuffer): void {
    this.#kept.push(block);
    this.#keptBytes += block.byteLength;
    while (this.#keptBytes > MOST_KEPT_BYTES || this.#kept.length > MOST_KEPT_BLOCKS) {
      this.#keptBytes -= this.#kept.shift()?.byteLength ?? 0;
    }
  }
}

function newBlock(bytes: number): ArrayBuffer {
  const { buffer } = Buffer.allocUnsafeSlow(roundUp(bytes));
  youngMemory.take(buffer.byteLength);
  return buffer;
}

/** Bodies for one model are much of one size: a block of twice that is left for those that need it. */
function fits({ byteLength }: ArrayBuffer, bytes: number): boolean {
  return byteLength >= bytes && byteLength <= 2 * roundUp(bytes);
}

function roundUp(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / SMALLEST_BLOCK_BYTES)) * SMALLEST_BLOCK_BYTES;
}
