import type { CostCurve } from './cost-curve.ts';
import type { ReleaseReason } from './release.ts';

export interface BatchLimits {
  /** Rows along the batch axis; a request that has more goes alone. */
  readonly maxRows: number;
  /** How long the first request of a batch waits for others at most. */
  readonly maxDelayMs: number;
}

export interface WaitingRequest {
  readonly rows: number;
  readonly admittedAtMs: number;
  readonly deadlineAtMs: number | undefined;
}

/** What is known when an executor could take a batch. */
export interface BatchSituation {
  /** Of one bucket, in order of service, at least one. */
  readonly waiting: readonly WaitingRequest[];
  readonly curve: CostCurve;
  /** How soon another request follows while one is unanswered; undefined when most often none does. */
  readonly expectedGapMs: number | undefined;
  readonly lastArrivalAtMs: number;
  /** Now and then more are taken than the curve advises, or it would never learn that it is wrong. */
  readonly isTrial: boolean;
}

export type BatchPlan =
  | {
      readonly kind: 'Release';
      readonly requests: number;
      readonly rows: number;
      readonly reason: ReleaseReason;
    }
  | { readonly kind: 'Wait'; readonly untilMs: number };

/** A message to the executor and its answer, beside the run itself. */
const MESSAGE_MS = 0.05;
/** Timers are not finer; a shorter wait is none. */
const SHORTEST_WAIT_MS = 1;
/** How much larger than anything measured a batch may be. */
const LARGEST_STEP = 2;
/** A batch of two that costs less than this much of two batches is worth keeping an executor free for. */
const SHARING_PAYS_BELOW = 0.8;

/** What a batch keeps an executor busy for. */
export function costMs(curve: CostCurve, rows: number): number {
  return curve.predictMs(rows) + MESSAGE_MS;
}

/** Whether requests are answered sooner together than one after the other. */
export function sharingPays(curve: CostCurve): boolean {
  return costMs(curve, 2) < SHARING_PAYS_BELOW * 2 * costMs(curve, 1);
}

/** How many of the waiting could go together, and what keeps the next one out; all of them: undefined. */
interface Room {
  /** Rows of the first so many requests. */
  readonly rowsOfFirst: readonly number[];
  readonly limit: ReleaseReason | undefined;
}

function measureRoom({ waiting, curve }: BatchSituation, limits: BatchLimits, nowMs: number): Room {
  const rowsOfFirst: number[] = [];
  let rows = 0;
  let earliestMs = Infinity;
  for (const { rows: more, deadlineAtMs = Infinity } of waiting) {
    const isFirst = rowsOfFirst.length === 0;
    rows += more;
    earliestMs = Math.min(earliestMs, deadlineAtMs);
    if (!isFirst && rows > limits.maxRows) return { rowsOfFirst, limit: 'Full' };
    if (!isFirst && nowMs + costMs(curve, rows) > earliestMs) return { rowsOfFirst, limit: 'DeadlineNear' };
    rowsOfFirst.push(rows);
  }
  return { rowsOfFirst, limit: undefined };
}

/**
 * The number of requests that lets all the waiting be answered soonest on average, if the rest follow in batches of
 * the same size: of k requests by m at a time, one waits for (k/m + 1)/2 batches.
 */
function chooseCount(room: Room, { waiting, curve, isTrial }: BatchSituation): number {
  const { rowsOfFirst } = room;
  const largestRows = LARGEST_STEP * Math.max(1, curve.largestMeasuredRows);
  const fitting = Math.max(1, rowsOfFirst.findLastIndex((rows) => rows <= largestRows) + 1);
  let best = 1;
  let bestMs = Infinity;
  for (let count = 1; count < fitting * 2; count *= 2) {
    const tried = Math.min(count, fitting);
    const meanMs = costMs(curve, rowsOfFirst[tried - 1] ?? 1) * (waiting.length / tried + 1);
    if (meanMs >= bestMs) continue;
    best = tried;
    bestMs = meanMs;
  }
  return isTrial ? Math.min(best * 2, fitting) : best;
}

/** When to stop waiting for another request and why, or why not to wait at all. */
function planWait(situation: BatchSituation, limits: BatchLimits, rows: number): ReleaseReason | number {
  const { waiting, curve, expectedGapMs, lastArrivalAtMs } = situation;
  if (rows >= limits.maxRows) return 'Full';
  const savedMs = costMs(curve, rows) + costMs(curve, 1) - costMs(curve, rows + 1);
  // Each that waits pays, the one that comes gains.
  const patienceMs = savedMs / waiting.length;
  if (patienceMs < SHORTEST_WAIT_MS || limits.maxDelayMs === 0) return 'NothingToGain';
  if (expectedGapMs === undefined || expectedGapMs > patienceMs) return 'NobodyExpected';
  const firstAdmittedAtMs = Math.min(...waiting.map(({ admittedAtMs }) => admittedAtMs));
  return Math.min(firstAdmittedAtMs + limits.maxDelayMs, lastArrivalAtMs + patienceMs);
}

/** Whether the waiting requests of a bucket go now, how many of them together, and why. Time is in milliseconds. */
export function planBatch(situation: BatchSituation, limits: BatchLimits, nowMs: number): BatchPlan {
  const { waiting, curve } = situation;
  const room = measureRoom(situation, limits, nowMs);
  const requests = chooseCount(room, situation);
  const rows = room.rowsOfFirst[requests - 1] ?? 1;
  const release = (reason: ReleaseReason): BatchPlan => ({ kind: 'Release', requests, rows, reason });
  if (requests < waiting.length) {
    return release(requests === room.rowsOfFirst.length ? (room.limit ?? 'Cheapest') : 'Cheapest');
  }
  const wait = planWait(situation, limits, rows);
  if (typeof wait === 'string') return release(wait);
  const earliestMs = Math.min(...waiting.map(({ deadlineAtMs = Infinity }) => deadlineAtMs));
  const latestStartMs = earliestMs - 2 * costMs(curve, rows + 1);
  const untilMs = Math.min(wait, latestStartMs);
  if (untilMs - nowMs >= SHORTEST_WAIT_MS / 2) return { kind: 'Wait', untilMs };
  return release(latestStartMs < wait ? 'DeadlineNear' : 'DelayOver');
}

/** How long one executor takes for so many requests of one row, in the batches that would be made of them. */
export function drainMs(curve: CostCurve, requests: number, maxRows: number): number {
  let bestMs = Infinity;
  for (let rows = 1; rows <= Math.min(maxRows, Math.max(requests, 1)); rows *= 2) {
    bestMs = Math.min(bestMs, Math.ceil(requests / rows) * costMs(curve, rows));
  }
  return bestMs;
}
