import type { RestorationTiming } from './restoration.ts';

export interface ListWatchTiming extends RestorationTiming {
  /** The server ends a watch after so long; up to 40 % are added, so that not all end at once. */
  readonly watchSeconds: number;
  /** A watch that is silent for longer than its server lets it live is dead, whatever TCP says. */
  readonly idleMs: number;
  /** A list that is sent object by object is given up when nothing arrives for so long. */
  readonly listIdleMs: number;
  readonly firstBackoffMs: number;
  readonly lastBackoffMs: number;
  /** A kind whose definition is not installed is asked for this often. */
  readonly missingMs: number;
}

/** See docs/decisions/0010: a dead watch is noticed within 45 s, and a quiet kind costs two requests a minute. */
export const usualTiming: ListWatchTiming = {
  watchSeconds: 25,
  idleMs: 43_000,
  // The API server itself waits 3 s for its cache to be new enough before it sends the first object.
  listIdleMs: 15_000,
  firstBackoffMs: 100,
  lastBackoffMs: 10_000,
  missingMs: 3_000,
  restoredAfterMs: 30_000,
  restoredAfterLists: 3,
};
