import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { median } from '../../bench/measure.ts';

const program = fileURLToPath(new URL('../../bench/runtime.ts', import.meta.url));

describe('make bench-runtime', { timeout: 60_000 }, () => {
  it('prints for a tiny and a slow model how the runtime compares with a bare session.run', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      program,
      '--rounds',
      '1',
      '--seconds',
      '0.1',
    ]);
    const rows = stdout.matchAll(
      /^(bare session\.run|(?:runtime|gRPC), \d+ clients?) +(\d+) +[\d.]+ +[\d.]+ +([\d.]+)/gmu,
    );
    const figures = [...rows].map(([, name, perSecond, ratio]) => ({
      name,
      isFast: Number(perSecond) > 1,
      ratio: Number(ratio),
    }));
    const bare = { name: 'bare session.run', isFast: true, ratio: 1 };
    const one = { name: 'runtime, 1 client', isFast: true, ratio: expect.any(Number) as number };
    const many = { name: 'runtime, 16 clients', isFast: true, ratio: expect.any(Number) as number };
    const overGrpc = [one, many].map((figure) => ({
      ...figure,
      name: figure.name.replace('runtime', 'gRPC'),
    }));
    const all = [bare, one, many, ...overGrpc];
    expect(figures).toEqual([...all, ...all]);
  });
});

describe('the median of rounds', () => {
  it.each([
    [[3], 3],
    [[1, 3], 2],
    [[9, 1, 3], 3],
    [[9, 1, 3, 4], 3.5],
    [[], NaN],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });
});
