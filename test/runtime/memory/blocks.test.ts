import { describe, expect, it } from 'vitest';
import { MemoryBlocks } from '../../../runtime/memory/blocks.ts';

const KIBIBYTE = 2 ** 10;
const MEBIBYTE = 2 ** 20;

describe('blocks of memory', () => {
  it('are at least as large as asked for', () => {
    const blocks = new MemoryBlocks();
    for (const bytes of [0, 1, 65_536, 65_537, 600_000]) {
      expect(blocks.take(bytes).byteLength).toBeGreaterThanOrEqual(bytes);
    }
  });

  it('are used again once they are given back, and not before', () => {
    const blocks = new MemoryBlocks();
    const first = blocks.take(600_000);
    expect(blocks.take(600_000)).not.toBe(first);
    blocks.giveBack(first);
    expect(blocks.take(590_000)).toBe(first);
    expect(blocks.take(590_000)).not.toBe(first);
  });

  it('are not used for what is larger, nor wasted on what needs less than half of them', () => {
    const blocks = new MemoryBlocks();
    const block = blocks.take(640 * KIBIBYTE);
    blocks.giveBack(block);
    expect(blocks.take(641 * KIBIBYTE)).not.toBe(block);
    expect(blocks.take(256 * KIBIBYTE)).not.toBe(block);
    expect(blocks.take(320 * KIBIBYTE)).toBe(block);
  });

  it('are kept up to 16 MiB in all, the youngest of them', () => {
    const blocks = new MemoryBlocks();
    const taken = Array.from({ length: 6 }, () => blocks.take(4 * MEBIBYTE));
    for (const block of taken) blocks.giveBack(block);
    const again = Array.from({ length: 6 }, () => blocks.take(4 * MEBIBYTE));
    expect(again.filter((block) => taken.includes(block))).toEqual(taken.slice(2).toReversed());
  });

  it('are kept up to 64 of them', () => {
    const blocks = new MemoryBlocks();
    const taken = Array.from({ length: 70 }, () => blocks.take(1));
    for (const block of taken) blocks.giveBack(block);
    const again = Array.from({ length: 70 }, () => blocks.take(1));
    expect(again.filter((block) => taken.includes(block))).toHaveLength(64);
  });
});
