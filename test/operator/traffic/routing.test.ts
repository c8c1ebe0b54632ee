import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  FULL_WEIGHT,
  loadOf,
  mirrorOf,
  references,
  revisionsIn,
  routeAllTo,
  sameRouting,
  sendsTo,
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

  test('references the revisions of mirrors and previews too', () => {
    const routing = {
      ...routeAllTo('a'),
      mirrors: [{ revision: 'b', weight: 100 }],
      previews: [{ revision: 'c', match: { host: 'next.example.com' } }],
    };
    expect([...revisionsIn(routing)]).toEqual(['a', 'b', 'c']);
    expect(['a', 'b', 'c'].every((revision) => references(routing, revision))).toBe(true);
    expect(['a', 'b', 'c'].every((revision) => sendsTo(routing, revision))).toBe(true);
    expect(sendsTo(splitBetween('a', 'b', 0), 'b')).toBe(false);
  });

  test('counts copies as load and not as weight', () => {
    const routing = { ...splitBetween('a', 'b', 0), mirrors: [{ revision: 'b', weight: 100 }] };
    expect([weightOf(routing, 'b'), mirrorOf(routing, 'b'), loadOf(routing, 'b')]).toEqual([0, 100, 100]);
  });

  test.each([
    { left: { mirrors: [{ revision: 'b', weight: 1 }] }, right: {} },
    {
      left: { mirrors: [{ revision: 'b', weight: 1 }] },
      right: { mirrors: [{ revision: 'b', weight: 2 }] },
    },
    { left: { previews: [{ revision: 'b', match: { host: 'next.example.com' } }] }, right: {} },
    {
      left: { previews: [{ revision: 'b', match: { header: { name: 'x', value: '1' } } }] },
      right: { previews: [{ revision: 'b', match: { header: { name: 'x', value: '2' } } }] },
    },
  ])('with $left is another than with $right', ({ left, right }) => {
    const split = splitBetween('a', 'b', 0);
    expect(sameRouting({ ...split, ...left }, { ...split, ...right })).toBe(false);
    expect(sameRouting({ ...split, ...left }, { ...split, ...structuredClone(left) })).toBe(true);
  });

  test('without mirrors is the same as with an empty list of them', () => {
    expect(sameRouting(routeAllTo('a'), { ...routeAllTo('a'), mirrors: [], previews: [] })).toBe(true);
  });

  test('that is not there references nothing and is the same as none only', () => {
    expect(weightOf(undefined, 'a')).toBe(0);
    expect(references(undefined, 'a')).toBe(false);
    expect(sameRouting(undefined, undefined)).toBe(true);
    expect(sameRouting(undefined, routeAllTo('a'))).toBe(false);
  });
});
