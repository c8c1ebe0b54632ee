import { durationMs } from '../api/duration.ts';
import type { PodShape } from '../api/model-deployment.ts';
import { quantityUnits } from './quantity.ts';

type Runtime = NonNullable<PodShape['runtime']>;
type Setting = readonly [string, string | undefined];

/** The variables that `spec.runtime` gives the runtime; undefined leaves it to its own default. */
export function runtimeSettings({ queue, batching, executors, cache }: Runtime): readonly Setting[] {
  return [
    ['HEADGATE_QUEUE_MAX_DEPTH', queue?.maxDepth?.toString()],
    ['HEADGATE_QUEUE_TIMEOUT_MS', wholeMs(queue?.timeout)],
    ...batchSettings(batching ?? {}),
    ...executorSettings(executors ?? {}),
    ...(cache === undefined ? [] : cacheSettings(cache)),
  ];
}

function batchSettings({ maxBatchSize, maxDelay }: NonNullable<Runtime['batching']>): readonly Setting[] {
  return [
    ['HEADGATE_BATCH_MAX_SIZE', maxBatchSize?.toString()],
    ['HEADGATE_BATCH_MAX_DELAY_MS', wholeMs(maxDelay)],
  ];
}

function executorSettings({ count, threads }: NonNullable<Runtime['executors']>): readonly Setting[] {
  return [
    ['HEADGATE_EXECUTORS', count?.toString()],
    ['HEADGATE_THREADS', threads?.toString()],
  ];
}

function cacheSettings({ ttl, maxSize, redis }: NonNullable<Runtime['cache']>): readonly Setting[] {
  return [
    ['HEADGATE_CACHE_TTL_MS', wholeMs(ttl)],
    ['HEADGATE_CACHE_MAX_BYTES', bytes(maxSize)],
    ['HEADGATE_CACHE_REDIS_URL', redis?.url],
  ];
}

/** A duration may have fractions of a millisecond, the runtime's settings have none. */
function wholeMs(duration: string | undefined): string | undefined {
  return duration === undefined ? undefined : String(Math.max(1, Math.round(durationMs(duration))));
}

function bytes(quantity: string | number | undefined): string | undefined {
  return quantity === undefined ? undefined : quantityUnits(String(quantity))?.toString();
}
