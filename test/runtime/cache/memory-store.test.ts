import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../../runtime/cache/memory-store.ts';
import type { Tensor } from '../../../runtime/tensor/datatype.ts';
import { valueOf } from '../../support/scraped.ts';

const KIBIBYTE = 1024;

function answer(bytes: number, value = 0): Tensor[] {
  return [{ name: 'y', datatype: 'UINT8', shape: [bytes], data: new Uint8Array(bytes).fill(value) }];
}

describe('answers in memory', () => {
  it('are found until they are too old', async () => {
    let nowMs = 0;
    const store = new MemoryStore({ maxBytes: KIBIBYTE, ttlMs: 100 }, () => nowMs);
    store.set('a', answer(3, 7));
    nowMs = 99;
    expect(await store.get('a')).toEqual(answer(3, 7));
    nowMs = 100;
    expect(await store.get('a')).toBeUndefined();
    expect(valueOf(store, 'headgate_cache_entries')).toBe(0);
    expect(valueOf(store, 'headgate_cache_evictions_total')).toBe(0);
  });

  it('go when there is no room, those that were used longest ago first', async () => {
    const store = new MemoryStore({ maxBytes: 3 * KIBIBYTE, ttlMs: 100 }, () => 0);
    for (const key of ['a', 'b', 'c']) store.set(key, answer(512));
    await store.get('a');
    store.set('d', answer(512));
    expect(await store.get('b')).toBeUndefined();
    expect(await Promise.all(['a', 'c', 'd'].map((key) => store.get(key)))).toEqual(
      [1, 2, 3].map(() => answer(512)),
    );
    expect(valueOf(store, 'headgate_cache_evictions_total')).toBe(1);
    expect(valueOf(store, 'headgate_cache_entries')).toBe(3);
  });

  it('count once when they are replaced', () => {
    const store = new MemoryStore({ maxBytes: KIBIBYTE, ttlMs: 100 }, () => 0);
    const sizes = (): unknown[] =>
      ['headgate_cache_entries', 'headgate_cache_bytes'].map((name) => valueOf(store, name));
    store.set('a', answer(500));
    const once = sizes();
    store.set('a', answer(500, 1));
    expect(sizes()).toEqual(once);
    expect(once).toEqual([1, expect.any(Number)]);
  });

  it('keep no memory of the batch that they were a part of, and change with nothing', async () => {
    const store = new MemoryStore({ maxBytes: KIBIBYTE, ttlMs: 100 }, () => 0);
    const batch = new Uint8Array(1_000_000);
    store.set('a', [{ name: 'y', datatype: 'UINT8', shape: [2], data: batch.subarray(0, 2) }]);
    batch.fill(9);
    const [kept] = (await store.get('a')) ?? [];
    expect((kept?.data as Uint8Array).buffer.byteLength).toBe(2);
    expect([...(kept?.data as Uint8Array)]).toEqual([0, 0]);
  });

  it('never take more than they may, whatever is kept and asked for', async () => {
    const step = fc.tuple(
      fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      fc.integer({ min: 0, max: 3000 }),
      fc.boolean(),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step), async (steps) => {
        const store = new MemoryStore({ maxBytes: 4 * KIBIBYTE, ttlMs: 100 }, () => 0);
        for (const [key, bytes, isRead] of steps) {
          if (isRead) await store.get(key);
          else store.set(key, answer(bytes));
          expect(valueOf(store, 'headgate_cache_bytes')).toBeLessThanOrEqual(4 * KIBIBYTE);
        }
        store.close();
        expect(valueOf(store, 'headgate_cache_entries')).toBe(0);
        expect(valueOf(store, 'headgate_cache_bytes')).toBe(0);
      }),
    );
  });
});
