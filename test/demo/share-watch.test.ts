import { describe, expect, it } from 'vitest';
import { riseAndFall, type ShareSample } from '../e2e/support/share-watch.ts';

const samplesOf = (...shares: number[]): ShareSample[] =>
  shares.map((largest, index) => ({ atMs: index * 100, largest }));

describe('the share of a version that goes back', () => {
  it('rises with the first request that it may get and is gone when no gateway sends any for good', () => {
    expect(riseAndFall(samplesOf(0, 0, 500, 0, 2500, 0, 0))).toEqual({ raisedAtMs: 200, goneAtMs: 500 });
  });

  it('is not gone before it ever rose', () => {
    expect(riseAndFall(samplesOf(0, 0))).toBeUndefined();
  });

  it('is not gone while a gateway still sends some', () => {
    expect(riseAndFall(samplesOf(500, 500))).toBeUndefined();
  });
});
