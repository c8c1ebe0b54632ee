import type { Logger } from 'winston';
import type { RuntimeConfig } from './config/config.ts';
import type { JourneyObserver } from './inference/journey.ts';
import { AccessLog } from './metrics/access-log.ts';
import { Metrics } from './metrics/metrics.ts';
import { Traffic } from './metrics/traffic.ts';

export interface WatcherSources {
  readonly queueDepth: () => number;
}

/** Whoever watches the traffic of one server. */
export class Watchers {
  readonly traffic = new Traffic();
  readonly metrics: Metrics;
  readonly observers: readonly JourneyObserver[];

  constructor({ modelName, revision }: RuntimeConfig, log: Logger, { queueDepth }: WatcherSources) {
    this.metrics = new Metrics({
      model: modelName,
      revision,
      latencyP95Ms: () => this.traffic.latencyP95Ms(performance.now()),
      queueDepth,
    });
    const accessLog = log.isLevelEnabled('debug') ? [new AccessLog(log)] : [];
    this.observers = [this.traffic, this.metrics, ...accessLog];
  }
}
