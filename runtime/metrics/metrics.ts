import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Origin } from '../inference/origin.ts';
import type { Journey, JourneyObserver, Outcome } from '../inference/journey.ts';
import { answeredOf } from './answered.ts';

export interface MetricSources {
  readonly model: string;
  readonly revision: string;
  readonly latencyP95Ms: () => number;
  readonly queueDepth: () => number;
}

const DURATION_BUCKETS_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** What Prometheus scrapes. The p95 gauge is what the autoscaler acts on: it always has a value. */
export class Metrics implements JourneyObserver {
  readonly registry = new Registry();
  readonly #labels: { readonly model: string; readonly revision: string };
  readonly #requests: Readonly<Record<Origin, Counter>>;
  readonly #duration: Histogram.Internal<string>;
  readonly #executorRestarts: Counter;

  constructor(sources: MetricSources) {
    const { model, revision } = sources;
    this.#labels = { model, revision };
    const registers = [this.registry];
    const labelNames = ['model', 'revision'];
    collectDefaultMetrics({ register: this.registry });
    const counter = (name: string, help: string): Counter =>
      new Counter({ name, help, labelNames: [...labelNames, 'code'], registers });
    this.#requests = {
      User: counter('headgate_requests_total', "Users' infer requests by the status code of the answer."),
      Mirror: counter(
        'headgate_mirrored_requests_total',
        "Copies of users' infer requests by the status code of the answer, which nobody sees.",
      ),
      Preview: counter(
        'headgate_preview_requests_total',
        'Infer requests of those who asked for this revision, by the status code of the answer.',
      ),
    };
    this.#duration = new Histogram({
      name: 'headgate_request_duration_seconds',
      help: "Time from the arrival of a user's infer request to its answer.",
      labelNames,
      buckets: DURATION_BUCKETS_SECONDS,
      registers,
    }).labels(this.#labels);
    this.#executorRestarts = new Counter({
      name: 'headgate_executor_restarts_total',
      help: 'How often the process that runs the model was lost and started again.',
      labelNames,
      registers,
    });
    this.#executorRestarts.inc(this.#labels, 0);
    this.#addGauge(
      'inference_latency_p95_ms',
      'p95 latency of the last 30 s, of users, copies and previews alike; 0 without traffic.',
      sources.latencyP95Ms,
    );
    this.#addGauge('headgate_queue_depth', 'Infer requests that wait for the executor.', sources.queueDepth);
  }

  onEnd(journey: Journey, outcome: Outcome, endedAtMs: number): void {
    const answered = answeredOf(journey, outcome, endedAtMs);
    if (answered === undefined) return;
    const { origin, status, latencyMs } = answered;
    this.#requests[origin].inc({ ...this.#labels, code: status });
    if (origin === 'User') this.#duration.observe(latencyMs / 1000);
  }

  recordExecutorRestart(): void {
    this.#executorRestarts.inc(this.#labels);
  }

  #addGauge(name: string, help: string, read: () => number): void {
    const labels = this.#labels;
    new Gauge({
      name,
      help,
      labelNames: ['model', 'revision'],
      registers: [this.registry],
      collect() {
        this.set(labels, read());
      },
    });
  }
}
