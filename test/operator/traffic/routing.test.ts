import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  FULL_WEIGHT,
  references,
  routeAllTo,
  sameRouting,
  splitBetween,
  weightOf,
} from '../../../operator/traffic/routing.ts';

describe('a routing', () => {
  test('of a split gives away the whole, for any weight (I4)', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: FULL_WEIGHT }), (weight) => {
        const routing = splitBetween('a', 'b', weight);
        expect(weightOf(routing, 'a') + weightOf(routing, 'b')).toBe(FULL_WEIGHT);
        expect(weightOf(routing, 'b')).toBe(weight);
      }),
    );
  });

  test('references a revision of weight 0, which is something else than not to name it', () => {
    expect(references(splitBetween('a', 'b', 0), 'b')).toBe(true);
    expect(references(routeAllTo('a'), 'b')).toBe(false);
    expect(sameRouting(splitBetween('a', 'b', 0), routeAllTo('a'))).toBe(false);
  });

  test('is the same in any order of its destinations', () => {
    const { destinations } = splitBetween('a', 'b', 2500);
    expect(sameRouting({ destinations }, { destinations: [...destinations].reverse() })).toBe(true);
  });

  test('that is not there references nothing and is the same as none only', () => {
    expect(weightOf(undefined, 'a')).toBe(0);
    expect(references(undefined, 'a')).toBe(false);
    expect(sameRouting(undefined, undefined)).toBe(true);
    expect(sameRouting(undefined, routeAllTo('a'))).toBe(false);
  });
});
