import { describe, expect, test } from 'vitest';
import { hasCapacityFor, podsForShare } from '../../../operator/plan/capacity.ts';
import { gatherFacts, type Facts } from '../../../operator/plan/facts.ts';
import { Scene, serving } from '../../support/scene.ts';

function factsOf(scene: Scene): Facts {
  return gatherFacts(scene.modelDeployment, scene.observed());
}

describe('the pods that a share of the traffic needs', () => {
  test.each([
    { share: 0, stablePods: 4, pods: 1 },
    { share: 1, stablePods: 4, pods: 1 },
    { share: 2_500, stablePods: 4, pods: 1 },
    { share: 2_501, stablePods: 4, pods: 2 },
    { share: 5_000, stablePods: 4, pods: 2 },
    { share: 5_000, stablePods: 5, pods: 3 },
    { share: 10_000, stablePods: 4, pods: 4 },
    { share: 10_000, stablePods: 1, pods: 2 },
    { share: 10_000, stablePods: 0, pods: 2 },
    { share: 10_000, stablePods: 14, pods: 10 },
  ])(
    '$share of 10000 beside $stablePods pods of the stable, of 2 to 10: $pods',
    ({ share, stablePods, pods }) => {
      expect(podsForShare(factsOf(serving().runs('v1', stablePods)), share)).toBe(pods);
    },
  );

  test('do not become fewer when pods of the stable are not well', () => {
    expect(podsForShare(factsOf(serving().runs('v1', 4, { ready: false, crashes: 5 })), 5_000)).toBe(2);
  });

  test('do not count those of the stable that are ending', () => {
    expect(
      podsForShare(
        factsOf(serving().runs('v1', 4).pod('v1-pod-3', { terminating: true, ready: false })),
        10_000,
      ),
    ).toBe(3);
  });

  test('of a first revision are the fewest that the spec asks for', () => {
    expect(podsForShare(factsOf(new Scene()), 10_000)).toBe(2);
  });
});

describe('a revision has the capacity for its share', () => {
  test.each([
    { ready: 2, share: 5_000, has: true },
    { ready: 1, share: 5_000, has: false },
    { ready: 0, share: 0, has: false },
    { ready: 1, share: 0, has: true },
  ])('with $ready ready pods beside 4 of the stable, for $share of 10000: $has', ({ ready, share, has }) => {
    const facts = factsOf(serving().runs('v1', 4).asksFor('v2').runs('v2', ready));
    expect(hasCapacityFor(facts, facts.desired, share)).toBe(has);
  });

  test('not by pods that are not ready', () => {
    const facts = factsOf(serving().asksFor('v2').runs('v2', 5, { ready: false }));
    expect(hasCapacityFor(facts, facts.desired, 5_000)).toBe(false);
  });
});
