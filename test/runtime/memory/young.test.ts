import { fileURLToPath } from 'node:url';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { YoungMemory } from '../../../runtime/memory/young.ts';
import { run } from '../../bed/shell.ts';
import { runtimeNodeOptions } from '../../support/image-entrypoint.ts';

const script = fileURLToPath(new URL('../../support/buffers-that-die.ts', import.meta.url));

describe('young memory', () => {
  it('is collected once its buffers have taken so much, and then once they have taken as much again', async () => {
    const collect = vi.fn<() => void>();
    const memory = new YoungMemory(collect, 100);
    memory.take(99);
    await turn();
    expect(collect).not.toHaveBeenCalled();
    memory.take(1);
    await turn();
    expect(collect).toHaveBeenCalledTimes(1);
    memory.take(99);
    await turn();
    expect(collect).toHaveBeenCalledTimes(1);
    memory.take(1);
    await turn();
    expect(collect).toHaveBeenCalledTimes(2);
  });

  it('is not collected amid what takes it, and once however much was taken meanwhile', async () => {
    const collect = vi.fn<() => void>();
    const memory = new YoungMemory(collect, 100);
    for (let taken = 0; taken < 10; taken++) memory.take(1000);
    expect(collect).not.toHaveBeenCalled();
    await turn();
    expect(collect).toHaveBeenCalledTimes(1);
  });

  it('spares the server the full collections that its answers would cost', async () => {
    const collectionsWith = async (...how: string[]): Promise<number> => {
      const told = await run(process.execPath, [...runtimeNodeOptions(), script, ...how]);
      return (JSON.parse(told) as { fullCollections: number }).fullCollections;
    };
    const uncounted = await collectionsWith();
    expect(uncounted).toBeGreaterThanOrEqual(8);
    // One may fall into the start.
    expect(await collectionsWith('counted')).toBeLessThanOrEqual(2);
  });
});
