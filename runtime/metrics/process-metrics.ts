import { collectDefaultMetrics, type Registry } from 'prom-client';

const LOOP_DELAY_PERIOD_MS = 1000;
const ofLoopDelay = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map(
  (value) => `nodejs_eventloop_lag_${value}_seconds`,
);

/**
 * prom-client's metrics of the process, less those of the event loop's delay: a timer of their own wakes the process a
 * hundred times a second for them, which is a hundredth of a core at rest and takes the core from the model under load;
 * and with a longer period they tell the period. `nodejs_eventloop_lag_seconds` stays: it is measured when asked for.
 */
export function collectProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_DELAY_PERIOD_MS });
  for (const name of ofLoopDelay) registry.removeSingleMetric(name);
}
