import type { BatchObserver } from '../batching/release.ts';
import type { RequestErrorReason } from '../errors.ts';
import { countRows, type InferRequest } from '../inference/inference.ts';
import type { Journey, JourneyObserver, Outcome } from '../inference/journey.ts';
import type { Labels, ScrapedMetric } from './scraped.ts';
import { CounterFamily, CounterSeries } from './series.ts';

/**
 * What Triton calls the same things, so that its dashboards and autoscaling rules work.
 * https://github.com/triton-inference-server/server/blob/main/docs/user_guide/metrics.md
 */

const tritonFailures = ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'] as const;
type TritonFailure = (typeof tritonFailures)[number];

const failureOf: Partial<Record<RequestErrorReason, TritonFailure>> = {
  Overloaded: 'REJECTED',
  ModelNotReady: 'REJECTED',
  ModelFailed: 'BACKEND',
  ExecutorLost: 'BACKEND',
};

export interface TritonSources {
  readonly model: string;
  readonly version: string;
  readonly queueDepth: () => number;
}

export class TritonMetrics implements JourneyObserver, BatchObserver {
  readonly #labels: Labels;
  readonly #queueDepth: () => number;
  readonly #successes = new CounterSeries();
  readonly #failures: CounterFamily<TritonFailure>;
  readonly #inferences = new CounterSeries();
  readonly #executions = new CounterSeries();
  readonly #requestUs = new CounterSeries();
  readonly #queueUs = new CounterSeries();
  readonly #inputUs = new CounterSeries();
  readonly #inferUs = new CounterSeries();
  readonly #outputUs = new CounterSeries();
  readonly #hits = new CounterSeries();
  readonly #misses = new CounterSeries();

  constructor({ model, version, queueDepth }: TritonSources) {
    this.#labels = { model, version };
    this.#queueDepth = queueDepth;
    this.#failures = new CounterFamily('reason', this.#labels, tritonFailures);
  }

  onEnd(journey: Journey, outcome: Outcome, endedAtMs: number): void {
    if (journey.cache === 'Miss') this.#misses.add();
    else if (journey.cache !== undefined) this.#hits.add();
    if (outcome.kind === 'HungUp') this.#failures.of('CANCELED').add();
    else if (outcome.kind === 'Refused') this.#failures.of(failureOf[outcome.reason] ?? 'OTHER').add();
    else this.#recordSuccess(journey, outcome.request, endedAtMs);
  }

  onRelease(): void {
    this.#executions.add();
  }

  /** As in Triton, the times are those of successful requests. */
  #recordSuccess(journey: Journey, request: InferRequest, endedAtMs: number): void {
    this.#successes.add();
    this.#requestUs.add((endedAtMs - journey.arrivedAtMs) * 1000);
    this.#inputUs.add((journey.parseMs ?? 0) * 1000);
    this.#queueUs.add(((journey.queueMs ?? 0) + (journey.batchMs ?? 0)) * 1000);
    this.#outputUs.add((journey.serialiseMs ?? 0) * 1000);
    if (journey.computeMs === undefined) return;
    this.#inferUs.add(journey.computeMs * 1000);
    this.#inferences.add(countRows(request));
  }

  scraped(): ScrapedMetric[] {
    const counter = (name: string, help: string, series: CounterSeries): ScrapedMetric => ({
      name,
      help,
      type: 'counter',
      read: () => [{ labels: this.#labels, value: Math.round(series.total) }],
    });
    return [
      counter('nv_inference_request_success', 'Infer requests that were answered.', this.#successes),
      {
        name: 'nv_inference_request_failure',
        help: 'Infer requests that were refused or failed, by whose doing it was.',
        type: 'counter',
        read: this.#failures.read,
      },
      counter('nv_inference_count', 'Rows that the model computed.', this.#inferences),
      counter('nv_inference_exec_count', 'Runs of the model, each of one batch.', this.#executions),
      counter('nv_inference_request_duration_us', 'From arrival to answer, added up.', this.#requestUs),
      counter('nv_inference_queue_duration_us', 'Waiting for the model, added up.', this.#queueUs),
      counter('nv_inference_compute_input_duration_us', 'Reading the tensors, added up.', this.#inputUs),
      counter('nv_inference_compute_infer_duration_us', 'In the model, added up.', this.#inferUs),
      counter('nv_inference_compute_output_duration_us', 'Writing the answer, added up.', this.#outputUs),
      counter('nv_cache_num_hits_per_model', 'Answers that came from the cache.', this.#hits),
      counter('nv_cache_num_misses_per_model', 'Requests that the cache had no answer for.', this.#misses),
      {
        name: 'nv_inference_pending_request_count',
        help: 'Infer requests that wait for the model.',
        type: 'gauge',
        read: () => [{ labels: this.#labels, value: this.#queueDepth() }],
      },
    ];
  }
}
