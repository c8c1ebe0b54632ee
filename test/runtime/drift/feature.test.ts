import { describe, expect, it } from 'vitest';
import { Feature } from '../../../runtime/drift/feature.ts';

const settings = { learnValues: 400, windowMs: 600_000 };

/** Evenly spread over [0, 1) by the golden ratio: no chance in a test of statistics. */
function spread(count: number, place: (share: number) => number = (share) => share): number[] {
  return Array.from({ length: count }, (_, index) => place((index * 0.618_033_988_749_895) % 1));
}

function observeAll(feature: Feature, values: readonly (number | string)[], nowMs = 0): void {
  for (const value of values) feature.observe(value, nowMs);
}

describe('a feature', () => {
  it('learns its baseline from the first values and says nothing before', () => {
    const feature = new Feature('Real', settings);
    observeAll(feature, spread(399));
    expect(feature.report(0)).toMatchObject({ baseline: undefined, values: 399, statistic: undefined });
    observeAll(feature, [0.5]);
    expect(feature.report(0).baseline).toMatchObject({ kind: 'Numeric' });
  });

  it('finds nothing in values like those of its baseline', () => {
    const feature = new Feature('Real', settings);
    observeAll(feature, spread(400));
    observeAll(feature, spread(300));
    const { statistic, pValue, stabilityIndex } = feature.report(0);
    expect(statistic).toBeLessThan(0.03);
    expect(pValue).toBeGreaterThan(0.9);
    expect(stabilityIndex).toBeLessThan(0.02);
  });

  it.each([
    ['a shift by a seventh of the width', (share: number) => share + 1 / 7, 1 / 7],
    ['half the spread', (share: number) => 0.25 + share / 2, 0.25],
    ['large values only', (share: number) => 0.5 + share / 2, 0.5],
  ])('finds %s, as far away as it is', (_name, place, distance) => {
    const feature = new Feature('Real', settings);
    observeAll(feature, spread(400));
    observeAll(feature, spread(300, place));
    const { statistic = NaN, pValue, stabilityIndex } = feature.report(0);
    expect(Math.abs(statistic - distance)).toBeLessThan(0.03);
    expect(pValue).toBeLessThan(0.05);
    expect(stabilityIndex).toBeGreaterThan(0.05);
  });

  it('forgets what is older than its window', () => {
    const feature = new Feature('Real', settings);
    observeAll(feature, spread(400));
    observeAll(
      feature,
      spread(300, () => 0.9),
      0,
    );
    expect(feature.report(0).statistic).toBeGreaterThan(0.5);
    observeAll(feature, spread(300), 600_000);
    expect(feature.report(600_000).statistic).toBeLessThan(0.03);
    expect(feature.report(1_300_000).statistic).toBeUndefined();
  });

  it('counts what is no value apart from values, and what is out of range', () => {
    const feature = new Feature('Real', settings);
    observeAll(feature, [NaN, Infinity, ...spread(400)]);
    observeAll(feature, [NaN, -0.1, 1.5, 0.5]);
    expect(feature.report(0)).toMatchObject({ values: 406, nulls: 3, outOfRange: 2, unseen: 0 });
  });

  it('compares few kinds of texts or whole numbers as categories', () => {
    for (const [kind, known, unseen] of [
      ['Text', ['cat', 'dog'], 'cow'],
      ['Whole', [0, 1], 7],
    ] as const) {
      const feature = new Feature(kind, settings);
      observeAll(
        feature,
        Array.from({ length: 400 }, (_, index) => known[index % 2] ?? ''),
      );
      observeAll(
        feature,
        Array.from({ length: 90 }, () => known[0]),
      );
      observeAll(
        feature,
        Array.from({ length: 10 }, () => unseen),
      );
      const report = feature.report(0);
      expect(report).toMatchObject({ unseen: 10, window: [90, 0, 10], statistic: undefined });
      expect(report.stabilityIndex).toBeGreaterThan(1);
    }
  });

  it('compares many kinds of whole numbers as numbers, and of texts not at all', () => {
    const whole = new Feature('Whole', settings);
    observeAll(
      whole,
      Array.from({ length: 400 }, (_, index) => index),
    );
    expect(whole.report(0).baseline).toMatchObject({ kind: 'Numeric', min: 0, max: 399 });
    const text = new Feature('Text', settings);
    observeAll(
      text,
      Array.from({ length: 500 }, (_, index) => (index === 0 ? '' : `word ${index}`)),
    );
    expect(text.report(0)).toMatchObject({ baseline: undefined, values: 500, nulls: 1 });
  });

  it('uses the baseline that was shipped from the first value on', () => {
    const baseline = { kind: 'Numeric', edges: [0, 1], counts: [0, 100, 0], min: 0, max: 1 } as const;
    const feature = new Feature('Real', settings, baseline);
    observeAll(
      feature,
      spread(60, (share) => share + 2),
    );
    expect(feature.report(0)).toMatchObject({ statistic: 1, outOfRange: 60, window: [0, 0, 60] });
  });

  it('says nothing of fewer values than mean something', () => {
    const feature = new Feature('Real', settings);
    observeAll(feature, spread(400));
    observeAll(
      feature,
      spread(49, () => 9),
    );
    expect(feature.report(0)).toMatchObject({
      statistic: undefined,
      stabilityIndex: undefined,
      outOfRange: 49,
    });
  });
});
