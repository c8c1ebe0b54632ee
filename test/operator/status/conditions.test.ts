import { describe, expect, test } from 'vitest';
import { conditionsOf, type ConditionClaim } from '../../../operator/status/conditions.ts';

const NOW_MS = Date.UTC(2026, 0, 2);
const EARLIER = '2026-01-01T00:00:00.000Z';
const claim: ConditionClaim = { type: 'Ready', status: 'True', reason: 'Promoted', message: 'All is well' };
const before = { ...claim, observedGeneration: 1, lastTransitionTime: EARLIER };
const now = { observedGeneration: 2, nowMs: NOW_MS };

describe('the time of the last transition', () => {
  test('stays while the status stays, whatever else changes', () => {
    const [condition] = conditionsOf(
      [{ ...claim, reason: 'StepCompleted', message: 'New words' }],
      [before],
      now,
    );
    expect(condition).toStrictEqual({
      type: 'Ready',
      status: 'True',
      reason: 'StepCompleted',
      message: 'New words',
      observedGeneration: 2,
      lastTransitionTime: EARLIER,
    });
  });

  test('is now when the status changes', () => {
    const [condition] = conditionsOf([{ ...claim, status: 'False' }], [before], now);
    expect(condition?.lastTransitionTime).toBe('2026-01-02T00:00:00.000Z');
  });

  test('is now for a condition that was not there', () => {
    const [condition] = conditionsOf([{ ...claim, type: 'Paused' }], [before], now);
    expect(condition?.lastTransitionTime).toBe('2026-01-02T00:00:00.000Z');
  });
});

test('conditions are sorted by type, so that equal worlds give equal lists', () => {
  const types = ['Stalled', 'Available', 'Ready'];
  const conditions = conditionsOf(
    types.map((type) => ({ ...claim, type })),
    [],
    now,
  );
  expect(conditions.map(({ type }) => type)).toStrictEqual(['Available', 'Ready', 'Stalled']);
});

test('a condition that is claimed no more is gone', () => {
  expect(conditionsOf([], [before], now)).toStrictEqual([]);
});
