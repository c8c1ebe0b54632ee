import { Registry } from 'prom-client';
import type { BatchObserver, BatchRelease } from '../batching/release.ts';
import { MODEL_VERSION } from '../inference/data-plane.ts';
import type { Journey, JourneyObserver, Outcome } from '../inference/journey.ts';
import type { Origin } from '../inference/origin.ts';
import { answeredOf } from './answered.ts';
import { collectProcessMetrics } from './process-metrics.ts';
import { registerScraped, type Labels, type ScrapedMetric } from './scraped.ts';
import { CounterFamily, CounterSeries } from './series.ts';
import { StageMetrics } from './stage-metrics.ts';
import { TritonMetrics } from './triton-metrics.ts';

export interface MetricSources {
  readonly model: string;
  readonly revision: string;
  readonly latencyP95Ms: () => number;
  readonly queueDepth: () => number;
}

const requestMetrics: Readonly<Record<Origin, { readonly name: string; readonly help: string }>> = {
  User: {
    name: 'headgate_requests_total',
    help: "Users' infer requests by the status code of the answer.",
  },
  Mirror: {
    name: 'headgate_mirrored_requests_total',
    help: "Copies of users' infer requests by the status code of the answer, which nobody sees.",
  },
  Preview: {
    name: 'headgate_preview_requests_total',
    help: 'Infer requests of those who asked for this revision, by the status code of the answer.',
  },
};

/** What Prometheus scrapes. The p95 gauge is what the autoscaler acts on: it always has a value. */
export class Metrics implements JourneyObserver, BatchObserver {
  readonly registry = new Registry();
  readonly #labels: Labels;
  readonly #requests: Readonly<Record<Origin, CounterFamily<number>>>;
  readonly #executorRestarts = new CounterSeries();
  readonly #stages: StageMetrics;
  readonly #triton: TritonMetrics;

  constructor({ model, revision, latencyP95Ms, queueDepth }: MetricSources) {
    const version = MODEL_VERSION;
    this.#labels = { model, revision };
    this.#requests = {
      User: new CounterFamily('code', this.#labels),
      Mirror: new CounterFamily('code', this.#labels),
      Preview: new CounterFamily('code', this.#labels),
    };
    this.#stages = new StageMetrics({ model, version, revision });
    this.#triton = new TritonMetrics({ model, version, queueDepth });
    collectProcessMetrics(this.registry);
    for (const metric of this.#own(latencyP95Ms, queueDepth)) this.register(metric);
    for (const metric of [...this.#stages.scraped(), ...this.#triton.scraped()]) this.register(metric);
  }

  register(metric: ScrapedMetric): void {
    registerScraped(this.registry, metric);
  }

  onEnd(journey: Journey, outcome: Outcome, endedAtMs: number): void {
    const answered = answeredOf(journey, outcome, endedAtMs);
    if (answered !== undefined) this.#requests[answered.origin].of(answered.status).add();
    this.#stages.onEnd(journey, outcome, endedAtMs);
    this.#triton.onEnd(journey, outcome, endedAtMs);
  }

  onRelease(release: BatchRelease): void {
    this.#stages.onRelease(release);
    this.#triton.onRelease();
  }

  recordExecutorRestart(): void {
    this.#executorRestarts.add();
  }

  #own(latencyP95Ms: () => number, queueDepth: () => number): ScrapedMetric[] {
    const one = (read: () => number) => () => [{ labels: this.#labels, value: read() }];
    const origins: readonly Origin[] = ['User', 'Mirror', 'Preview'];
    return [
      ...origins.map((origin): ScrapedMetric => ({
        ...requestMetrics[origin],
        type: 'counter',
        read: this.#requests[origin].read,
      })),
      {
        name: 'headgate_executor_restarts_total',
        help: 'How often the process that runs the model was lost and started again.',
        type: 'counter',
        read: one(() => this.#executorRestarts.total),
      },
      {
        name: 'inference_latency_p95_ms',
        help: 'p95 latency of the last 30 s, of users, copies and previews alike; 0 without traffic.',
        type: 'gauge',
        read: one(latencyP95Ms),
      },
      {
        name: 'headgate_queue_depth',
        help: 'Infer requests that wait for the executor, or to be read.',
        type: 'gauge',
        read: one(queueDepth),
      },
    ];
  }
}
