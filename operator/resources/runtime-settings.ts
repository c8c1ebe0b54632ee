import { durationMs } from '../api/duration.ts';
import type { PodShape } from '../api/model-deployment.ts';

type Runtime = NonNullable<PodShape['runtime']>;

/** The variables that `spec.runtime` gives the runtime; undefined leaves it to its own default. */
export function runtimeSettings({
  queue,
  batching,
}: Runtime): readonly (readonly [string, string | undefined])[] {
  return [
    ['HEADGATE_QUEUE_MAX_DEPTH', queue?.maxDepth?.toString()],
    ['HEADGATE_QUEUE_TIMEOUT_MS', wholeMs(queue?.timeout)],
    ['HEADGATE_BATCH_MAX_SIZE', batching?.maxBatchSize?.toString()],
    ['HEADGATE_BATCH_MAX_DELAY_MS', wholeMs(batching?.maxDelay)],
  ];
}

/** A duration may have fractions of a millisecond, the runtime's settings have none. */
function wholeMs(duration: string | undefined): string | undefined {
  return duration === undefined ? undefined : String(Math.max(1, Math.round(durationMs(duration))));
}
