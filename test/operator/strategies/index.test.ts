import { describe, expect, test } from 'vitest';
import { chosenStrategy, strategies } from '../../../operator/strategies/index.ts';

describe('the strategy of a spec', () => {
  test('is chosen by name, with what its own block says', () => {
    const { stepCount } = chosenStrategy({ strategy: 'Canary', canary: { steps: [{ weight: 100 }] } });
    expect(stepCount).toBe(1);
  });

  test.each([
    { strategy: 'Canary', stepCount: 7 },
    { strategy: 'BlueGreen', stepCount: 3 },
    { strategy: 'Shadow', stepCount: 4 },
  ] as const)('without a block is $strategy with its defaults', ({ strategy, stepCount }) => {
    expect(chosenStrategy({ strategy }).stepCount).toBe(stepCount);
  });

  test('keeps the old revision only where it says so', () => {
    expect(chosenStrategy({ strategy: 'BlueGreen' }).keepOldMs).toBe(600_000);
    expect(chosenStrategy({ strategy: 'BlueGreen', blueGreen: { keepOldFor: '90s' } }).keepOldMs).toBe(
      90_000,
    );
    expect(chosenStrategy({ strategy: 'Canary' }).keepOldMs).toBe(0);
  });
});

test('no two strategies are configured by the same field', () => {
  const fields = Object.values(strategies).map(({ field }) => field);
  expect(new Set(fields).size).toBe(fields.length);
});
