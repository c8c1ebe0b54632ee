import { compareVersions } from './object-store.ts';

/**
 * onwards: as new as all that is known, or newer. behind: older than what is known, from a server that lags.
 * restored: older, and no lag explains it any more.
 */
export type Judgement = 'onwards' | 'behind' | 'restored';

export interface RestorationTiming {
  /** Lists must be too old for so long … */
  readonly restoredAfterMs: number;
  /** … and so often in a row. */
  readonly restoredAfterLists: number;
}

/** The cluster was restored from a backup, and what it holds now has been taken over. */
export class RestoredError extends Error {
  override readonly name = 'RestoredError';

  constructor(knownVersion: string, version: string) {
    super(`the cluster went back from version ${knownVersion} to ${version} and stays there`);
  }
}

/**
 * Tells an API server that lags behind from a cluster that was restored from a backup. Both answer a list with an
 * older version than is known here. The first catches up, or another server answers the next list; the second never
 * does. Until that is plain the older list is not believed: old news must not undo new ones.
 */
export class RestorationDetector {
  private readonly timing: RestorationTiming;
  private behind: { readonly sinceMs: number; lists: number } | undefined;

  constructor(timing: RestorationTiming) {
    this.timing = timing;
  }

  judge(listVersion: string, knownVersion: string, nowMs: number): Judgement {
    if (compareVersions(listVersion, knownVersion) >= 0) {
      this.behind = undefined;
      return 'onwards';
    }
    this.behind ??= { sinceMs: nowMs, lists: 0 };
    this.behind.lists += 1;
    const { sinceMs, lists } = this.behind;
    const { restoredAfterLists, restoredAfterMs } = this.timing;
    if (lists < restoredAfterLists || nowMs - sinceMs < restoredAfterMs) return 'behind';
    this.behind = undefined;
    return 'restored';
  }
}
