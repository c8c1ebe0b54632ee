import { describe, expect, test } from 'vitest';
import { shadow, type ShadowConfiguration } from '../../../operator/strategies/shadow.ts';
import { mirrorOf, weightOf } from '../../../operator/traffic/routing.ts';

const held: ShadowConfiguration = { percent: 20, for: '5m', then: 'Hold' };
const promoted: ShadowConfiguration = { ...held, then: 'Promote' };

interface Wanted {
  readonly copies: number;
  readonly users: number;
  readonly pods: number;
}

/** In percent. */
function wantedAt(configuration: ShadowConfiguration, stepIndex: number, floorWeight = 0): Wanted {
  const { routing, candidateShare } = shadow.demand(configuration, {
    ...{ stable: 'stable', candidate: 'candidate', stepIndex, floorWeight, canSplit: true },
  });
  expect(weightOf(routing, 'stable') + weightOf(routing, 'candidate')).toBe(10_000);
  return {
    copies: mirrorOf(routing, 'candidate') / 100,
    users: weightOf(routing, 'candidate') / 100,
    pods: candidateShare / 100,
  };
}

describe('what is wanted', () => {
  const shadowed = { copies: 20, users: 0, pods: 20 };
  const switched = { copies: 0, users: 100, pods: 100 };

  test('is copies and no users until the last step, and pods for just these copies', () => {
    expect([0, 1, 2, 3, 4].map((stepIndex) => wantedAt(held, stepIndex))).toEqual([
      shadowed,
      shadowed,
      shadowed,
      switched,
      switched,
    ]);
    expect([0, 1, 2, 3].map((stepIndex) => wantedAt(promoted, stepIndex))).toEqual([
      shadowed,
      shadowed,
      switched,
      switched,
    ]);
  });

  test('is nobody for a candidate that had users under other steps', () => {
    expect(wantedAt(held, 0, 2_500)).toEqual(shadowed);
  });
});

test('the steps are as many as there is to do', () => {
  expect([shadow.stepCount(held), shadow.stepCount(promoted)]).toEqual([4, 3]);
});

test('a new candidate begins with copies, one that has all users stays with them', () => {
  expect(shadow.firstStep(held, { weight: 0, isWarm: true })).toBe(0);
  expect(shadow.firstStep(held, { weight: 10_000, isWarm: false })).toBe(3);
  expect(shadow.firstStep(promoted, { weight: 10_000, isWarm: false })).toBe(2);
});

test('copies last for their time, and then as the spec says', () => {
  const waits = (configuration: ShadowConfiguration): unknown =>
    [0, 1, 2, 3].map((stepIndex) => shadow.wait(configuration, stepIndex, 1_000));
  const watched = { kind: 'Until', timeMs: 301_000 };
  expect(waits(held)).toEqual([undefined, watched, { kind: 'Decision' }, undefined]);
  expect(waits(promoted)).toEqual([undefined, watched, undefined, undefined]);
});
