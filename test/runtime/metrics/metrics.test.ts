import { describe, expect, it } from 'vitest';
import { Metrics } from '../../../runtime/metrics/metrics.ts';
import { answered, floats, journeyOf, refused, refusedAtOnce } from '../../support/journey.ts';

function build(): Metrics {
  return new Metrics({ model: 'tumour', revision: 'tumour-1', latencyP95Ms: () => 7, queueDepth: () => 3 });
}

/** Values of one metric by what its labels have beside the model's own. */
async function valuesOf(metrics: Metrics, name: string): Promise<Record<string, number>> {
  const text = await metrics.registry.metrics();
  const samples = text.matchAll(new RegExp(`^${name}\\{(.*)\\} (.*)$`, 'gmu'));
  return Object.fromEntries(
    [...samples].map(([, labels = '', value]) => [
      labels.replace(/,?(?:model="tumour"|version="1"|revision="tumour-1"),?/gu, ''),
      Number(value),
    ]),
  );
}

async function valueOf(metrics: Metrics, name: string): Promise<number | undefined> {
  return (await valuesOf(metrics, name))[''];
}

describe('the metrics of a model', () => {
  it('tell where the time of a request went', async () => {
    const metrics = build();
    metrics.onEnd(journeyOf(), answered(), 10);
    metrics.onEnd(journeyOf({ batchMs: 1.5 }), answered(), 10);
    expect(await valuesOf(metrics, 'headgate_stage_duration_seconds_sum')).toEqual({
      'stage="parse"': 0.002,
      'stage="queue"': 0.004,
      'stage="batch"': 0.0015,
      'stage="compute"': 0.008,
      'stage="serialise"': 0.002,
    });
    expect(await valueOf(metrics, 'headgate_request_duration_seconds_sum')).toBe(0.02);
  });

  it('count a stage only where the request came to it', async () => {
    const metrics = build();
    metrics.onEnd(journeyOf(refusedAtOnce), refused('Overloaded', 429), 1);
    const counts = await valuesOf(metrics, 'headgate_stage_duration_seconds_count');
    expect(Object.values(counts)).toEqual([0, 0, 0, 0, 0]);
    expect(await valueOf(metrics, 'headgate_request_duration_seconds_count')).toBe(1);
  });

  it.each(['Mirror', 'Preview'] as const)('keep the latency that users see free of a %s', async (origin) => {
    const metrics = build();
    metrics.onEnd(journeyOf({ origin }), answered(), 10);
    expect(await valueOf(metrics, 'headgate_request_duration_seconds_count')).toBe(0);
    expect((await valuesOf(metrics, 'headgate_stage_duration_seconds_count'))['stage="compute"']).toBe(1);
  });

  it('tell how full batches are and why they left', async () => {
    const metrics = build();
    metrics.onRelease({ requests: 3, rows: 5, reason: 'Full' });
    metrics.onRelease({ requests: 1, rows: 1, reason: 'DeadlineNear' });
    expect(await valueOf(metrics, 'headgate_batch_rows_sum')).toBe(6);
    expect(await valueOf(metrics, 'headgate_batch_requests_sum')).toBe(4);
    expect(await valuesOf(metrics, 'headgate_batch_releases_total')).toEqual({
      'reason="Full"': 1,
      'reason="DeadlineNear"': 1,
    });
    expect(await valueOf(metrics, 'nv_inference_exec_count')).toBe(2);
  });

  it('count what the cache did', async () => {
    const metrics = build();
    for (const cache of ['Hit', 'Hit', 'Miss', 'Shared'] as const) {
      const computeMs = cache === 'Miss' ? 4 : undefined;
      metrics.onEnd(journeyOf({ cache, computeMs }), answered(), 10);
    }
    expect(await valuesOf(metrics, 'headgate_cache_requests_total')).toEqual({
      'result="hit"': 2,
      'result="miss"': 1,
      'result="shared"': 1,
    });
    expect(await valueOf(metrics, 'nv_cache_num_hits_per_model')).toBe(3);
    expect(await valueOf(metrics, 'nv_cache_num_misses_per_model')).toBe(1);
    expect(await valueOf(metrics, 'nv_inference_count')).toBe(1);
  });
});

describe("the metrics under Triton's names", () => {
  it('add up the times of answered requests in microseconds and count their rows', async () => {
    const metrics = build();
    metrics.onEnd(journeyOf(), answered(undefined, [floats('X', [1, 2, 3, 4], [4, 1])]), 10);
    metrics.onEnd(journeyOf(), refused('ModelFailed', 500), 10);
    const figures = await Promise.all(
      ['request', 'queue', 'compute_input', 'compute_infer', 'compute_output'].map((part) =>
        valueOf(metrics, `nv_inference_${part}_duration_us`),
      ),
    );
    expect(figures).toEqual([10_000, 2000, 1000, 4000, 1000]);
    expect(await valueOf(metrics, 'nv_inference_request_success')).toBe(1);
    expect(await valueOf(metrics, 'nv_inference_count')).toBe(4);
    expect(await valueOf(metrics, 'nv_inference_pending_request_count')).toBe(3);
  });

  it.each([
    ['Overloaded', 429, 'REJECTED'],
    ['ModelNotReady', 503, 'REJECTED'],
    ['ModelFailed', 500, 'BACKEND'],
    ['ExecutorLost', 503, 'BACKEND'],
    ['InvalidTensor', 400, 'OTHER'],
  ] as const)('call %s, answered with %i, a failure of the reason %s', async (reason, status, ofTriton) => {
    const metrics = build();
    metrics.onEnd(journeyOf(refusedAtOnce), refused(reason, status), 1);
    const failures = await valuesOf(metrics, 'nv_inference_request_failure');
    expect(Object.entries(failures).filter(([, count]) => count > 0)).toEqual([[`reason="${ofTriton}"`, 1]]);
  });

  it('call a client that hung up CANCELED', async () => {
    const metrics = build();
    metrics.onEnd(journeyOf(refusedAtOnce), { kind: 'HungUp' }, 1);
    expect((await valuesOf(metrics, 'nv_inference_request_failure'))['reason="CANCELED"']).toBe(1);
    expect(await valuesOf(metrics, 'headgate_requests_total')).toEqual({});
  });
});
