/** What the Lease said when it was last written. */
export interface LeaseRecord {
  readonly resourceVersion: string;
  /** Undefined when it is free. */
  readonly holder: string | undefined;
  /** How long its holder asks others to wait after they have seen it change. */
  readonly durationMs: number;
  /** How often it has passed to another holder. */
  readonly transitions: number;
}

export interface LeaseTiming {
  readonly durationMs: number;
  /**
   * For how long after it sent a renewal that succeeded a leader takes itself for one. The rest of the duration is for
   * clocks that run at different speeds, and for its writes under way to arrive before its successor's first one.
   */
  readonly renewWithinMs: number;
  /** From one renewal, or one failed attempt, to the next. */
  readonly retryMs: number;
}

/**
 * What one process knows of the Lease and of its own leadership. All times are readings of its monotonic clock: the
 * times that stand in the Lease are other machines' and are never compared with it.
 */
export interface Candidacy {
  readonly identity: string;
  readonly timing: LeaseTiming;
  /** The newest Lease seen, none if there is no such object, and when it was first seen like that. */
  readonly sight?: { readonly lease: LeaseRecord | undefined; readonly sinceMs: number };
  /** While it leads: until when no other can. */
  readonly leadsUntilMs?: number;
  /** No further write of the Lease before this. */
  readonly restsUntilMs: number;
}

export type Step =
  | { readonly kind: 'Wait'; readonly untilMs: number }
  /** Write the Lease over this version of it, or create it: to become the leader or to remain it. */
  | { readonly kind: 'Claim'; readonly over: LeaseRecord | undefined }
  /** Leadership is over: write nothing more. */
  | { readonly kind: 'StepDown' };

/** In the proportions of client-go's 15, 10 and 2 seconds. */
export function leaseTiming(durationMs: number): LeaseTiming {
  return {
    durationMs,
    renewWithinMs: Math.floor((durationMs * 2) / 3),
    retryMs: Math.floor((durationMs * 2) / 15),
  };
}

export function newCandidacy(identity: string, timing: LeaseTiming): Candidacy {
  return { identity, timing, restsUntilMs: Number.NEGATIVE_INFINITY };
}

/** The Lease was seen, or its absence. To see the same once more is no sign of life. */
export function seen(candidacy: Candidacy, lease: LeaseRecord | undefined, nowMs: number): Candidacy {
  const { sight } = candidacy;
  const isKnown = sight !== undefined && sight.lease?.resourceVersion === lease?.resourceVersion;
  return isKnown ? candidacy : { ...candidacy, sight: { lease, sinceMs: nowMs } };
}

/** A claim was answered with the Lease as it is now, ours. */
export function granted(candidacy: Candidacy, lease: LeaseRecord, sentAtMs: number): Candidacy {
  const { renewWithinMs, retryMs } = candidacy.timing;
  return {
    ...candidacy,
    sight: { lease, sinceMs: sentAtMs },
    // Counted from the sending: others count from when they see it, which is later.
    leadsUntilMs: sentAtMs + renewWithinMs,
    restsUntilMs: sentAtMs + retryMs,
  };
}

/** A claim was refused, or nobody answered. It may have been carried out all the same. */
export function failed(candidacy: Candidacy, restsUntilMs: number): Candidacy {
  return { ...candidacy, restsUntilMs };
}

export function steppedDown({ leadsUntilMs: _leadsUntilMs, ...candidacy }: Candidacy): Candidacy {
  return candidacy;
}

export function nextStep(candidacy: Candidacy, nowMs: number): Step {
  const { sight, leadsUntilMs, restsUntilMs } = candidacy;
  if (sight === undefined) return { kind: 'Wait', untilMs: Number.POSITIVE_INFINITY };
  if (leadsUntilMs !== undefined && !leads(candidacy, nowMs)) return { kind: 'StepDown' };
  const dueMs = leadsUntilMs === undefined ? Math.max(restsUntilMs, freeFromMs(candidacy)) : restsUntilMs;
  if (nowMs >= dueMs) return { kind: 'Claim', over: sight.lease };
  return { kind: 'Wait', untilMs: Math.min(dueMs, leadsUntilMs ?? dueMs) };
}

export function leads({ identity, sight, leadsUntilMs }: Candidacy, nowMs: number): boolean {
  return leadsUntilMs !== undefined && nowMs < leadsUntilMs && sight?.lease?.holder === identity;
}

/** From when on nobody can take himself for its holder any more. */
function freeFromMs({ identity, timing, sight }: Candidacy): number {
  const { lease, sinceMs = Number.POSITIVE_INFINITY } = sight ?? {};
  // A Lease that was removed says nothing of its last holder, who may lead for as long as one just renewed.
  if (lease === undefined) return sinceMs + timing.durationMs;
  // Ours although this process does not lead: a claim that was carried out and whose answer was lost.
  if (lease.holder === undefined || lease.holder === identity) return Number.NEGATIVE_INFINITY;
  return sinceMs + Math.max(lease.durationMs, timing.durationMs);
}
