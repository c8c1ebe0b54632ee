import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { collectProcessMetrics } from './process-metrics.ts';

export interface Metrics {
  readonly registry: Registry;
  readonly reconcileSeconds: Histogram<'outcome'>;
  readonly apiRequests: Counter<'verb' | 'code'>;
  readonly watchRestarts: Counter<'kind'>;
  readonly rollouts: Counter<'outcome' | 'reason'>;
}

export interface MetricSources {
  readonly isLeading: () => boolean;
  readonly queueDepth: () => number;
  /** The phase of every ModelDeployment, from the leader; nothing from the others, so that a sum counts each once. */
  readonly phases: () => Iterable<string>;
}

export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  collectProcessMetrics(registry);
  registerGauges(registry, sources);
  return {
    registry,
    reconcileSeconds: new Histogram({
      name: 'headgate_reconcile_duration_seconds',
      help: 'How long one pass over one ModelDeployment took, by how it ended',
      labelNames: ['outcome'],
      buckets: [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5],
      registers: [registry],
    }),
    apiRequests: new Counter({
      name: 'headgate_api_requests_total',
      help: 'Requests to the API server by verb and status; status 0 means that no answer came',
      labelNames: ['verb', 'code'],
      registers: [registry],
    }),
    watchRestarts: new Counter({
      name: 'headgate_watch_restarts_total',
      help: 'Watches that broke and began again with a new list, by kind',
      labelNames: ['kind'],
      registers: [registry],
    }),
    rollouts: new Counter({
      name: 'headgate_rollouts_total',
      help: 'Rollouts that have ended, by outcome and reason',
      labelNames: ['outcome', 'reason'],
      registers: [registry],
    }),
  };
}

function registerGauges(registry: Registry, { isLeading, queueDepth, phases }: MetricSources): void {
  new Gauge({
    name: 'headgate_leader',
    help: '1 in the replica that works, 0 in those that stand by',
    registers: [registry],
    collect() {
      this.set(isLeading() ? 1 : 0);
    },
  });
  new Gauge({
    name: 'headgate_queue_depth',
    help: 'ModelDeployments that wait for a pass',
    registers: [registry],
    collect() {
      this.set(queueDepth());
    },
  });
  new Gauge({
    name: 'headgate_model_deployments',
    help: 'ModelDeployments by phase',
    labelNames: ['phase'],
    registers: [registry],
    collect() {
      this.reset();
      for (const phase of phases()) this.inc({ phase });
    },
  });
}
