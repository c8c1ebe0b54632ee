import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canary, type CanaryConfiguration } from '../../../operator/strategies/canary.ts';
import { weightOf } from '../../../operator/traffic/routing.ts';

type Steps = CanaryConfiguration['steps'];

const usual: Steps = [
  { weight: 5 },
  { pause: { for: '1m30s' } },
  { weight: 25 },
  { pause: {} },
  { weight: 50 },
];

/** The percent that the candidate gets at a step. */
function shareAt(steps: Steps, stepIndex: number, floorWeight = 0): number {
  const { routing, candidateShare } = canary.demand(
    { steps },
    { stable: 'stable', candidate: 'candidate', stepIndex, floorWeight, canSplit: true },
  );
  const weight = weightOf(routing, 'candidate');
  // The rest is the stable's, and pods are needed for just what is sent.
  expect([weightOf(routing, 'stable'), candidateShare]).toStrictEqual([10_000 - weight, weight]);
  return weight / 100;
}

describe('the weight at a step', () => {
  test.each([
    { stepIndex: 0, share: 5, because: 'it is that of the step' },
    { stepIndex: 1, share: 5, because: 'a pause keeps the one before' },
    { stepIndex: 2, share: 25, because: 'it is that of the step' },
    { stepIndex: 3, share: 25, because: 'a pause keeps the one before' },
    { stepIndex: 4, share: 50, because: 'it is that of the step' },
    { stepIndex: 5, share: 100, because: 'all steps are over' },
  ])('at step $stepIndex is $share %, because $because', ({ stepIndex, share }) => {
    expect(shareAt(usual, stepIndex)).toBe(share);
  });

  test('is 0 in a pause before the first weight, and the candidate is named all the same', () => {
    expect(shareAt([{ pause: {} }, { weight: 10 }], 0)).toBe(0);
  });

  test('is never below the weight at which these steps began', () => {
    expect([0, 1, 2, 4, 5].map((stepIndex) => shareAt(usual, stepIndex, 3_000))).toStrictEqual([
      30, 30, 30, 50, 100,
    ]);
  });

  test('never falls from step to step and is never more than all, for any rising steps', () => {
    const weights = fc.uniqueArray(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 16 });
    fc.assert(
      fc.property(weights, fc.integer({ min: 0, max: 10_000 }), (unordered, floorWeight) => {
        const rising = [...unordered].sort((left, right) => left - right);
        const steps = rising.flatMap((weight): Steps => [{ weight }, { pause: {} }]);
        const shares = Array.from({ length: steps.length + 1 }, (_, index) =>
          shareAt(steps, index, floorWeight),
        );
        expect(shares).toStrictEqual([...shares].sort((left, right) => left - right));
        expect(shares.at(-1)).toBe(100);
        expect(Math.min(...shares)).toBeGreaterThanOrEqual(floorWeight / 100);
      }),
    );
  });
});

describe('the first step', () => {
  test.each([
    { percent: 0, stepIndex: 0, because: 'the rollout is new' },
    { percent: 4, stepIndex: 0, because: 'the first weight is above it' },
    { percent: 5, stepIndex: 1, because: 'the weight is reached, its pause is to come' },
    { percent: 30, stepIndex: 3, because: 'the weights below and the pauses before them are passed' },
    { percent: 50, stepIndex: 5, because: 'all weights are reached' },
  ])('with $percent % at present is $stepIndex, because $because', ({ percent, stepIndex }) => {
    expect(canary.firstStep({ steps: usual }, { weight: percent * 100, isWarm: false })).toBe(stepIndex);
  });
});

describe('how long a realised step lasts', () => {
  const enteredAtMs = 1_000_000;

  test.each([
    { stepIndex: 0, wait: undefined, because: 'a weight is over once it is proven' },
    { stepIndex: 1, wait: { kind: 'Until', timeMs: enteredAtMs + 90_000 }, because: 'it says for how long' },
    { stepIndex: 3, wait: { kind: 'Decision' }, because: 'it does not say for how long' },
    { stepIndex: 5, wait: undefined, because: 'there is none' },
  ])('step $stepIndex: because $because', ({ stepIndex, wait }) => {
    expect(canary.wait({ steps: usual }, stepIndex, enteredAtMs)).toStrictEqual(wait);
  });
});

test('the number of steps counts pauses too', () => {
  expect(canary.stepCount({ steps: usual })).toBe(5);
});
