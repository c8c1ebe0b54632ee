import type { Logger } from 'winston';
import type { RuntimeConfig } from './config/config.ts';
import { readBaselines } from './drift/read-baselines.ts';
import { Drift } from './drift/drift.ts';
import { Predictions } from './drift/predictions.ts';
import { MODEL_VERSION } from './inference/data-plane.ts';
import type { JourneyObserver } from './inference/journey.ts';
import { AccessLog } from './metrics/access-log.ts';
import { Metrics } from './metrics/metrics.ts';
import type { Labels } from './metrics/scraped.ts';
import { Traffic } from './metrics/traffic.ts';
import type { Decider } from './records/record.ts';
import { Records } from './records/records.ts';

export interface WatcherSources {
  readonly queueDepth: () => number;
  /** Null until a model is there. */
  readonly modelDigest: () => string | null;
}

/** Whoever watches the traffic of one server. */
export class Watchers {
  readonly traffic = new Traffic();
  readonly metrics: Metrics;
  readonly observers: readonly JourneyObserver[];
  /** Undefined: nothing is compared with a baseline. */
  readonly drift: Drift | undefined;
  /** Undefined: no records are kept. */
  readonly records: Records | undefined;
  readonly #config: RuntimeConfig;

  constructor(config: RuntimeConfig, log: Logger, { queueDepth, modelDigest }: WatcherSources) {
    this.#config = config;
    const { modelName, revision } = config;
    const labels: Labels = { model: modelName, version: MODEL_VERSION, revision };
    const decider = (): Decider => ({
      modelName,
      modelVersion: MODEL_VERSION,
      modelDigest: modelDigest(),
      revision,
    });
    this.metrics = new Metrics({
      model: modelName,
      revision,
      latencyP95Ms: () => this.traffic.latencyP95Ms(performance.now()),
      queueDepth,
    });
    if (config.records !== undefined) {
      this.records = new Records({ settings: config.records, decider, labels, log });
    }
    const predictions = new Predictions(labels);
    if (config.drift !== undefined) this.drift = new Drift(config.drift, labels);
    const accessLog = log.isLevelEnabled('debug') ? new AccessLog(log) : undefined;
    const optional = [this.drift, this.records, accessLog].filter((observer) => observer !== undefined);
    this.observers = [this.traffic, this.metrics, predictions, ...optional];
    const scraped = [
      ...predictions.scraped(),
      ...(this.drift?.scraped(() => performance.now()) ?? []),
      ...(this.records?.scraped() ?? []),
    ];
    for (const metric of scraped) this.metrics.register(metric);
  }

  /** Pre: no request has come yet. Rejects with StartFailure. */
  async prepare(modelPath: string): Promise<void> {
    const { drift } = this.#config;
    if (drift === undefined) return;
    const baselines = await readBaselines(drift.baseline, modelPath);
    if (baselines !== undefined) this.drift?.useBaselines(baselines);
  }

  /** Whatever still has to be written is written, within two seconds. */
  async close(): Promise<void> {
    await this.records?.close();
  }
}
