import { describe, expect, it } from 'vitest';
import { serverTiming } from '../../../runtime/inference/server-timing.ts';
import { journeyOf, refusedAtOnce } from '../../support/journey.ts';

describe('the header Server-Timing', () => {
  it.each([
    [
      'has every stage of a request in milliseconds',
      {},
      'parse;dur=1.000, queue;dur=2.000, compute;dur=4.000, serialise;dur=1.000, total;dur=10.000',
    ],
    [
      'tells of the batch and the cache',
      { batchRows: 8, cache: 'Miss' as const },
      'parse;dur=1.000, queue;dur=2.000, compute;dur=4.000, serialise;dur=1.000, batch;desc="rows=8", cache;desc=miss, total;dur=10.000',
    ],
    [
      'tells how long it waited for others',
      { batchRows: 8, batchMs: 1.5 },
      'parse;dur=1.000, queue;dur=2.000, compute;dur=4.000, serialise;dur=1.000, batch;dur=1.500;desc="rows=8", total;dur=10.000',
    ],
    ['leaves out where the request never came', refusedAtOnce, 'total;dur=10.000'],
    [
      'is exact to a microsecond',
      { ...refusedAtOnce, parseMs: 0.012_345_6, computeMs: 0 },
      'parse;dur=0.012, compute;dur=0.000, total;dur=10.000',
    ],
  ])('%s', (_name, journey, expected) => {
    expect(serverTiming(journeyOf(journey), 10)).toBe(expected);
  });
});
