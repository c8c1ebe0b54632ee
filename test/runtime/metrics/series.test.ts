import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { registerScraped } from '../../../runtime/metrics/scraped.ts';
import { CounterFamily, HistogramSeries } from '../../../runtime/metrics/series.ts';

const edges = [0.001, 0.01, 0.1, 1];

describe('a histogram of plain numbers', () => {
  it('is scraped in the very words of prom-client', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.double({ min: 0, max: 2, noNaN: true })), async (values) => {
        const ours = new Registry();
        const theirs = new Registry();
        const series = new HistogramSeries(edges);
        const labels = { model: 'tumour', stage: 'a "quoted"\nname' };
        registerScraped(ours, {
          name: 'seconds',
          help: 'Some time.',
          type: 'histogram',
          read: () => series.samples('seconds', labels),
        });
        const reference = new Histogram({
          name: 'seconds',
          help: 'Some time.',
          labelNames: ['model', 'stage'],
          buckets: edges,
          registers: [theirs],
        });
        reference.zero(labels);
        for (const value of values) {
          series.observe(value);
          reference.observe(labels, value);
        }
        expect(await ours.metrics()).toBe(await theirs.metrics());
      }),
      { numRuns: 50 },
    );
  });

  it.each([NaN, Infinity, -Infinity])('leaves out %d, which would spoil its sum for good', (value) => {
    const series = new HistogramSeries(edges);
    series.observe(0.5);
    series.observe(value);
    expect(
      series
        .samples('seconds', {})
        .slice(-2)
        .map((sample) => sample.value),
    ).toEqual([0.5, 1]);
  });
});

describe('counters that differ in a label', () => {
  it('show the known values from the start and others from their first occurrence', () => {
    const family = new CounterFamily<string>('reason', { model: 'tumour' }, ['full']);
    family.of('late').add(3);
    expect(family.read()).toEqual([
      { labels: { model: 'tumour', reason: 'full' }, value: 0 },
      { labels: { model: 'tumour', reason: 'late' }, value: 3 },
    ]);
  });
});
