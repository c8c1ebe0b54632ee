import { describe, expect, it } from 'vitest';
import { toOtlp } from '../../../runtime/traces/otlp.ts';
import { buildSpans, type Span } from '../../../runtime/traces/span.ts';
import type { Outcome } from '../../../runtime/inference/journey.ts';
import { answered, journeyOf, refused, refusedAtOnce } from '../../support/journey.ts';

function spansOf(outcome: Outcome, given: Parameters<typeof journeyOf>[0] = {}): Span[] {
  let next = 0;
  const newSpanId = (): string => `span-${next++}`;
  return buildSpans(journeyOf({ arrivedAtMs: 100, ...given }), outcome, 110, {
    parentSpanId: 'parent',
    attributes: { 'headgate.model': 'tumour' },
    newSpanId,
  });
}

describe('the spans of a request', () => {
  it('are the request and its stages, one after the other, within it', () => {
    const spans = spansOf(answered(), { batchRows: 8 });
    expect(spans.map(({ name, startMs, endMs }) => [name, startMs, endMs])).toEqual([
      ['infer', 100, 110],
      ['parse', 100, 101],
      ['queue', 101, 103],
      ['compute', 103, 107],
      ['serialise', 109, 110],
    ]);
    expect(spans.map(({ parentSpanId }) => parentSpanId)).toEqual([
      'parent',
      ...new Array<string>(4).fill('span-0'),
    ]);
    expect(spans[3]?.attributes).toEqual({ 'headgate.batch.rows': 8 });
  });

  it('are apart while it waited for others to share its run', () => {
    const spans = spansOf(answered(), { batchMs: 1.5 });
    expect(spans.slice(2, 5).map(({ name, startMs, endMs }) => [name, startMs, endMs])).toEqual([
      ['queue', 101, 103],
      ['batch', 103, 104.5],
      ['compute', 104.5, 108.5],
    ]);
  });

  it('have no stage that the request never came to', () => {
    expect(spansOf(refused('Overloaded', 429), refusedAtOnce).map(({ name }) => name)).toEqual(['infer']);
  });

  it.each([
    [answered(), undefined, { 'http.response.status_code': 200 }],
    [refused('InvalidTensor', 400), undefined, { 'error.type': 'InvalidTensor' }],
    [refused('ModelFailed', 500), 'ModelFailed', { 'http.response.status_code': 500 }],
    [{ kind: 'HungUp' } as const, undefined, { 'error.type': 'HungUp' }],
  ])('fail where the server is at fault, and only there: %#', (outcome, failure, attributes) => {
    const [request] = spansOf(outcome);
    expect(request?.failure).toBe(failure);
    expect(request?.attributes).toMatchObject(attributes);
  });

  it('are exported with times in nanoseconds since 1970 and numbers as texts', () => {
    const traces = [
      { traceId: 'trace', traceState: 'vendor=1', spans: spansOf(refused('ModelFailed', 500)) },
    ];
    const resource = { attributes: { 'service.name': 'fraud' }, scope: { name: 'headgate', version: '1' } };
    const body = JSON.parse(toOtlp(traces, resource, 1_760_000_000_000.25)) as {
      resourceSpans: { scopeSpans: { spans: unknown[] }[] }[];
    };
    expect(body.resourceSpans[0]?.scopeSpans[0]?.spans[0]).toMatchObject({
      traceId: 'trace',
      parentSpanId: 'parent',
      traceState: 'vendor=1',
      kind: 2,
      startTimeUnixNano: '1760000000100250000',
      endTimeUnixNano: '1760000000110250000',
      status: { code: 2, message: 'ModelFailed' },
      attributes: expect.arrayContaining([
        { key: 'http.response.status_code', value: { intValue: '500' } },
      ]) as unknown,
    });
  });
});
