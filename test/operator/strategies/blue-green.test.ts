import { describe, expect, test } from 'vitest';
import { blueGreen, type BlueGreenConfiguration } from '../../../operator/strategies/blue-green.ts';
import type { Demand } from '../../../operator/strategies/strategy.ts';
import { weightOf } from '../../../operator/traffic/routing.ts';

const keepOldFor = '10m';
const header = { name: 'x-preview', value: 'next' };
const plain: BlueGreenConfiguration = { keepOldFor };
const previewed: BlueGreenConfiguration = { keepOldFor, preview: { header, host: 'next.example.com' } };

function demandAt(stepIndex: number, configuration = plain, floorWeight = 0): Demand {
  return blueGreen.demand(configuration, {
    ...{ stable: 'stable', candidate: 'candidate', stepIndex, floorWeight, canSplit: true },
  });
}

describe('what is wanted', () => {
  test.each([
    { stepIndex: 0, weight: 0, because: 'it comes up' },
    { stepIndex: 1, weight: 0, because: 'somebody or time decides' },
    { stepIndex: 2, weight: 10_000, because: 'users switch' },
    { stepIndex: 3, weight: 10_000, because: 'all steps are over' },
  ])('at step $stepIndex is weight $weight, because $because', ({ stepIndex, weight }) => {
    const { routing } = demandAt(stepIndex);
    expect([weightOf(routing, 'stable'), weightOf(routing, 'candidate')]).toEqual([10_000 - weight, weight]);
  });

  test('is a candidate at full size from the first step to the last', () => {
    expect([0, 1, 2, 3].map((stepIndex) => demandAt(stepIndex).candidateShare)).toEqual(
      Array(4).fill(10_000),
    );
  });

  test('is a preview until users switch, by header and by host as the spec says', () => {
    const match = (stepIndex: number): unknown =>
      demandAt(stepIndex, previewed).routing.previews?.map((preview) => preview.match);
    expect([0, 1, 2].map(match)).toEqual([
      [{ header }, { host: 'next.example.com' }],
      [{ header }, { host: 'next.example.com' }],
      undefined,
    ]);
    expect(demandAt(0).routing.previews).toEqual([]);
  });

  test('takes no user back whom other steps have moved before', () => {
    expect(weightOf(demandAt(1, plain, 2_500).routing, 'candidate')).toBe(2_500);
  });
});

describe('the first step', () => {
  test.each([
    { arrival: { weight: 0, isWarm: false }, stepIndex: 0, because: 'the candidate is new' },
    { arrival: { weight: 2_500, isWarm: false }, stepIndex: 0, because: 'not all have switched' },
    { arrival: { weight: 10_000, isWarm: false }, stepIndex: 2, because: 'all have switched already' },
    { arrival: { weight: 0, isWarm: true }, stepIndex: 2, because: 'it goes back to pods that were kept' },
  ])('is $stepIndex, because $because', ({ arrival, stepIndex }) => {
    expect(blueGreen.firstStep(plain, arrival)).toBe(stepIndex);
  });
});

describe('the switch', () => {
  test('waits for a decision where nothing else is said', () => {
    expect([0, 1, 2].map((stepIndex) => blueGreen.wait(plain, stepIndex, 0))).toEqual([
      undefined,
      { kind: 'Decision' },
      undefined,
    ]);
  });

  test('comes by itself after the time that the spec gives', () => {
    expect(blueGreen.wait({ keepOldFor, autoPromote: { after: '5m' } }, 1, 1_000)).toEqual({
      kind: 'Until',
      timeMs: 301_000,
    });
  });
});
