import type { Batcher } from '../batching/batcher.ts';
import type { Lane } from './lane.ts';
import type { Pace } from './pace.ts';
import type { WaitingLine } from './waiting-line.ts';

/** All that says how long a request will take. */
export interface Load {
  readonly lanes: readonly Lane[];
  readonly line: WaitingLine;
  readonly batcher: Batcher;
  readonly pace: Pace;
}

function readyLanes({ lanes }: Load): readonly Lane[] {
  const ready = lanes.filter(({ isReady }) => isReady);
  return ready.length > 0 ? ready : lanes;
}

/** Until so many requests like this one are answered, behind what the executors have already. */
function drainMs(load: Load, key: string, requests: number): number {
  const lanes = readyLanes(load);
  const runningMs = lanes.reduce((sum, { expectedMs }) => sum + expectedMs, 0);
  const waitingMs = load.batcher.drainMs(key, requests);
  return ((runningMs + waitingMs) * load.pace.factor) / lanes.length;
}

/** What one more request adds to the work of the executors. */
export function runMs(load: Load, key: string): number {
  const requests = load.batcher.usualRequests(key);
  return load.batcher.drainMs(key, requests) / requests / load.lanes.length;
}

/** When whoever is refused may come again: by then what waits now is answered. */
export function retryAfterSeconds(load: Load, key: string): number {
  return Math.max(1, Math.ceil(drainMs(load, key, load.line.length) / 1000));
}

/**
 * Whether a request can be answered by its deadline, and every request that it would go before can still be by its own.
 * An idle server takes whatever is not over yet: it would never learn that it is faster than it believes.
 */
export function canMeet(load: Load, key: string, deadlineAtMs: number, nowMs: number): boolean {
  const { line, lanes, pace } = load;
  if (line.length === 0 && lanes.some((lane) => lane.isReady && lane.isIdle)) return deadlineAtMs > nowMs;
  const ahead = line.countDueBefore(deadlineAtMs);
  const finishMs = (requests: number): number => nowMs + drainMs(load, key, requests) * (1 + pace.margin);
  if (finishMs(ahead + 1) > deadlineAtMs) return false;
  return line
    .after(ahead)
    .every((job, index) => job.deadlineAtMs === undefined || finishMs(ahead + index + 2) <= job.deadlineAtMs);
}

/** Whether it does any good to submit one more: not where enough wait for the next run, nor where it would be refused. */
export function hasRoom(load: Load, key: string, deadlineAtMs: number, nowMs: number): boolean {
  const isFed = load.line.length >= load.lanes.length * load.batcher.usualRequests(key);
  return !isFed && canMeet(load, key, deadlineAtMs, nowMs);
}
