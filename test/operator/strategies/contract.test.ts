import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ModelDeploymentSpec } from '../../../operator/api/model-deployment.ts';
import { chosenStrategy, strategies, type StrategyName } from '../../../operator/strategies/index.ts';
import type { BoundStrategy, Position } from '../../../operator/strategies/strategy.ts';
import { featuresOf } from '../../../operator/traffic/feature.ts';
import { routers } from '../../../operator/traffic/index.ts';
import { FULL_WEIGHT, revisionsIn, weightOf } from '../../../operator/traffic/routing.ts';
import { modelDeploymentWith } from '../../support/model-deployment.ts';

type Rollout = ModelDeploymentSpec['rollout'];

/** Every strategy in all of its forms; a new one is held to the contract by its name alone. */
const configurations: fc.Arbitrary<Pick<Rollout, 'canary' | 'rollingUpdate' | 'blueGreen' | 'shadow'>> =
  fc.record({
    canary: fc.record({
      steps: fc
        .uniqueArray(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 6 })
        .chain((weights) =>
          fc
            .array(fc.constantFrom([], [{ pause: {} }], [{ pause: { for: '10s' } }]), {
              minLength: weights.length,
              maxLength: weights.length,
            })
            .map((pauses) =>
              weights
                .toSorted((left, right) => left - right)
                .flatMap((weight, index) => [{ weight }, ...(pauses[index] ?? [])]),
            ),
        ),
    }),
    rollingUpdate: fc.record({ surgePercent: fc.integer({ min: 1, max: 100 }) }),
    blueGreen: fc.record(
      {
        preview: fc.constant({ header: { name: 'x-preview', value: 'next' } }),
        autoPromote: fc.constant({ after: '5m' }),
        keepOldFor: fc.constant('10m'),
      },
      { requiredKeys: ['keepOldFor'] },
    ),
    shadow: fc.record({
      percent: fc.integer({ min: 1, max: 100 }),
      for: fc.constant('10m'),
      then: fc.constantFrom('Hold' as const, 'Promote' as const),
    }),
  });

const strategyNames = Object.keys(strategies) as readonly StrategyName[];

/** Where a strategy may fall below the weight at which its steps begin, with the reason. */
const mayFallBelow: Readonly<Partial<Record<StrategyName, string>>> = {
  Shadow: 'a candidate answers nobody before it answers all',
};

const floors = fc.constantFrom(0, 1, 500, 3_333, 9_999, FULL_WEIGHT);

describe.each(strategyNames)('the strategy %s', (name) => {
  const { rollout } = modelDeploymentWith().spec;
  const chosen = (configuration: Partial<Rollout>): BoundStrategy =>
    chosenStrategy({ ...rollout, ...configuration, strategy: name });

  function holds(property: (strategy: BoundStrategy, position: Omit<Position, 'stepIndex'>) => void): void {
    fc.assert(
      fc.property(configurations, floors, fc.boolean(), (configuration, floorWeight, canSplit) => {
        const position = { stable: 'stable', candidate: 'candidate', floorWeight, canSplit };
        property(chosen(configuration), position);
      }),
    );
  }

  /** One before the first step up to one after the last. */
  const stepsOf = ({ stepCount }: BoundStrategy): readonly number[] =>
    Array.from({ length: stepCount + 2 }, (_, index) => index - 1);

  test('has at least one step, and begins at one of them or behind the last', () => {
    holds(({ stepCount, firstStep }, { floorWeight, canSplit: isWarm }) => {
      expect(stepCount).toBeGreaterThanOrEqual(1);
      const first = firstStep({ weight: floorWeight, isWarm });
      expect(Number.isInteger(first) && first >= 0 && first <= stepCount).toBe(true);
      expect(firstStep({ weight: 0, isWarm: false })).toBe(0);
    });
  });

  test('gives away everything at every step, to the two revisions alone (I4)', () => {
    holds((strategy, position) => {
      for (const stepIndex of stepsOf(strategy)) {
        const { routing } = strategy.demand({ ...position, stepIndex });
        const weights = routing.destinations.map(({ weight }) => weight);
        expect(weights.every((weight) => Number.isInteger(weight) && weight >= 0)).toBe(true);
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(FULL_WEIGHT);
        expect([...revisionsIn(routing)].sort()).toEqual(['candidate', 'stable']);
      }
    });
  });

  test('never takes back what the candidate has got, and never goes below where it began', () => {
    holds((strategy, position) => {
      const got = stepsOf(strategy)
        .filter((stepIndex) => stepIndex >= 0)
        .map((stepIndex) => weightOf(strategy.demand({ ...position, stepIndex }).routing, 'candidate'));
      expect(got).toEqual(got.toSorted((left, right) => left - right));
      if (position.canSplit && mayFallBelow[name] === undefined)
        expect(got[0]).toBeGreaterThanOrEqual(position.floorWeight);
    });
  });

  test('asks for pods for all that it gives (I7)', () => {
    holds((strategy, position) => {
      for (const stepIndex of stepsOf(strategy)) {
        const { routing, candidateShare } = strategy.demand({ ...position, stepIndex });
        expect(candidateShare).toBeGreaterThanOrEqual(weightOf(routing, 'candidate'));
        expect(candidateShare).toBeLessThanOrEqual(FULL_WEIGHT);
      }
    });
  });

  test('ends with everything on the candidate', () => {
    holds((strategy, position) => {
      const { routing } = strategy.demand({ ...position, stepIndex: strategy.stepCount });
      expect(weightOf(routing, 'candidate')).toBe(FULL_WEIGHT);
    });
  });

  test('waits at each step for nothing, for a time or for a decision, and after the last one for nothing', () => {
    holds(({ stepCount, wait }) => {
      for (let stepIndex = 0; stepIndex < stepCount; stepIndex += 1) {
        const rest = wait(stepIndex, 1_000);
        if (rest?.kind === 'Until') expect(rest.timeMs).toBeGreaterThanOrEqual(1_000);
        else expect([undefined, 'Decision']).toContain(rest?.kind);
      }
      expect(wait(stepCount, 1_000)).toBeUndefined();
    });
  });
});

test('RollingUpdate, BlueGreen and Recreate ask for nothing that a plain Service cannot do', () => {
  for (const name of ['RollingUpdate', 'BlueGreen', 'Recreate'] as const) {
    const strategy = chosenStrategy({ ...modelDeploymentWith().spec.rollout, strategy: name });
    for (let stepIndex = 0; stepIndex <= strategy.stepCount; stepIndex += 1) {
      const position = { stable: 's', candidate: 'c', stepIndex, floorWeight: 0, canSplit: false };
      const features = featuresOf(strategy.demand(position).routing);
      expect(features.filter((feature) => !routers.service.features.has(feature))).toEqual([]);
    }
  }
});
