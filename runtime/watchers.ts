import type { Logger } from 'winston';
import type { RuntimeConfig } from './config/config.ts';
import { readBaselines } from './drift/read-baselines.ts';
import { Drift } from './drift/drift.ts';
import { Predictions } from './drift/predictions.ts';
import { buildWaitingAnswers } from './feedback/build-answers.ts';
import { Feedback, type Joined } from './feedback/feedback.ts';
import type { Label } from './feedback/waiting-answers.ts';
import { OutputRing } from './comparison/output-ring.ts';
import { MODEL_VERSION } from './inference/data-plane.ts';
import type { JourneyObserver } from './inference/journey.ts';
import { Statistics } from './inference/statistics.ts';
import { AccessLog } from './metrics/access-log.ts';
import { Metrics } from './metrics/metrics.ts';
import type { Labels, ScrapedMetric } from './metrics/scraped.ts';
import { Traffic } from './metrics/traffic.ts';
import type { Decider } from './records/record.ts';
import { Records } from './records/records.ts';
import { Traces } from './traces/traces.ts';
import { buildFeedbackRoute } from './rest/feedback-route.ts';
import type { Route } from './rest/routes.ts';

export interface WatcherSources {
  readonly queueDepth: () => number;
  /** Null until a model is there. */
  readonly modelDigest: () => string | null;
}

interface Watcher extends JourneyObserver {
  scraped(): readonly ScrapedMetric[];
}

/** Whoever watches the traffic of one server. */
export class Watchers {
  readonly revision: string;
  readonly #labels: Labels;
  readonly traffic = new Traffic();
  readonly statistics = new Statistics();
  readonly metrics: Metrics;
  readonly outputs = new OutputRing();
  /** Undefined: nothing is compared with a baseline. */
  readonly drift: Drift | undefined;
  /** Undefined: nobody waits for labels. */
  readonly feedback: Feedback | undefined;
  /** Undefined: no records are kept. */
  readonly records: Records | undefined;
  /** Undefined: there is no collector. */
  readonly traces: Traces | undefined;
  readonly observers: readonly JourneyObserver[];
  readonly #config: RuntimeConfig;
  readonly #decider: () => Decider;

  constructor(config: RuntimeConfig, log: Logger, { queueDepth, modelDigest }: WatcherSources) {
    const { modelName, revision, drift, feedback, records, traces } = config;
    const modelVersion = MODEL_VERSION;
    const labels = { model: modelName, version: modelVersion, revision };
    const decider = (): Decider => ({ modelName, modelVersion, modelDigest: modelDigest(), revision });
    this.#config = config;
    this.#decider = decider;
    this.revision = revision;
    this.#labels = labels;
    this.metrics = new Metrics({
      model: modelName,
      revision,
      latencyP95Ms: () => this.traffic.latencyP95Ms(performance.now()),
      queueDepth,
    });
    this.drift = given(drift, (settings) => new Drift(settings, labels));
    this.feedback = given(feedback, (settings) => {
      const answers = buildWaitingAnswers(settings, modelName, log);
      return new Feedback({ answers, labels, modelDigest });
    });
    this.records = given(records, (settings) => new Records({ settings, decider, labels, log }));
    this.traces = given(traces, (settings) => new Traces({ settings, labels, log }));
    const optional: readonly (Watcher | undefined)[] = [this.drift, this.feedback, this.records, this.traces];
    const watchers = [new Predictions(labels), ...optional.filter((watcher) => watcher !== undefined)];
    for (const metric of watchers.flatMap((watcher) => watcher.scraped())) this.metrics.register(metric);
    const accessLog = log.isLevelEnabled('debug') ? [new AccessLog(log)] : [];
    this.observers = [this.traffic, this.metrics, this.statistics, this.outputs, ...watchers, ...accessLog];
  }

  /** Pre: no request has come yet. Rejects with StartFailure. */
  async prepare(modelPath: string): Promise<void> {
    const { drift } = this.#config;
    if (drift === undefined) return;
    const baselines = await readBaselines(drift.baseline, modelPath);
    if (baselines !== undefined) this.drift?.useBaselines(baselines);
  }

  /** Shows what another part of this server counts. */
  show(part: { scraped(labels: Labels): readonly ScrapedMetric[] }): void {
    for (const metric of part.scraped(this.#labels)) this.metrics.register(metric);
  }

  /** What watching adds on the port of the models. */
  addRoutes(routes: ReadonlyMap<string, Route>): ReadonlyMap<string, Route> {
    const { feedback } = this;
    if (feedback === undefined) return routes;
    const route = buildFeedbackRoute((requestId, labels) => this.#join(feedback, requestId, labels));
    return new Map([...routes, ['/feedback', route]]);
  }

  /** Whatever still has to be written is written, within two seconds. */
  async close(): Promise<void> {
    this.feedback?.close();
    await Promise.all([this.records?.close(), this.traces?.close()]);
  }

  async #join(feedback: Feedback, requestId: string, labels: readonly Label[]): Promise<Joined | undefined> {
    const joined = await feedback.join(requestId, labels);
    if (joined === undefined) return undefined;
    const time = new Date().toISOString();
    const facts = { type: 'feedback', time, requestId, ...this.#decider(), ...joined } as const;
    this.records?.put({ facts, inputs: undefined, outputs: undefined });
    return joined;
  }
}

function given<Settings, Made>(
  settings: Settings | undefined,
  make: (settings: Settings) => Made,
): Made | undefined {
  return settings === undefined ? undefined : make(settings);
}
