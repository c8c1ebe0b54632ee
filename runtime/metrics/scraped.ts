import type { Metric, Registry } from 'prom-client';

export type Labels = Readonly<Record<string, string | number>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** Where it is not the metric's own: a histogram's buckets, sum and count. */
  readonly metricName?: string;
}

/**
 * A metric whose values lie in plain numbers until somebody scrapes them. prom-client validates and hashes the labels at
 * every observation, also those of a child that was bound by labels(); bench/observers.ts tells what that costs.
 */
export interface ScrapedMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly read: () => readonly Sample[];
}

export function registerScraped(registry: Registry, { name, help, type, read }: ScrapedMetric): void {
  const metric = {
    name,
    help,
    type,
    get: () => Promise.resolve({ name, help, type, values: read(), aggregator: 'sum' }),
  };
  // Of a metric the registry asks for no more than its name and get(); its declaration names the four classes only.
  registry.registerMetric(metric as unknown as Metric);
}
