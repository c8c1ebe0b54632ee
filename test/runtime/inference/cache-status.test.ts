import { describe, expect, it } from 'vitest';
import { cacheStatus } from '../../../runtime/inference/cache-status.ts';

describe('the header Cache-Status', () => {
  it.each([
    ['Hit', 'headgate; hit'],
    ['Miss', 'headgate; fwd=miss; stored'],
    ['Shared', 'headgate; fwd=miss; collapsed'],
    [undefined, undefined],
  ] as const)('says of %s: %s', (cache, expected) => {
    expect(cacheStatus({ cache })).toBe(expected);
  });
});
