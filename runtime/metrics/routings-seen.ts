const KEPT_MS = 600_000;
const MOST_KEPT = 32;
/** What a routing hash looks like; anything else comes from a client, not from a route of ours. */
const ROUTING_HASH = /^[A-Za-z0-9._-]{1,64}$/u;

export interface RoutingSeen {
  readonly hash: string;
  readonly lastSeenSecondsAgo: number;
}

/** Which routings still send requests here: the operator's proof that proxies use one, or use it no more. */
export class RoutingsSeen {
  /** Oldest first. */
  readonly #lastSeenMs = new Map<string, number>();

  record(hash: string, nowMs: number): void {
    if (!ROUTING_HASH.test(hash)) return;
    this.#lastSeenMs.delete(hash);
    this.#lastSeenMs.set(hash, nowMs);
    if (this.#lastSeenMs.size <= MOST_KEPT) return;
    const [oldest] = this.#lastSeenMs.keys();
    if (oldest !== undefined) this.#lastSeenMs.delete(oldest);
  }

  list(nowMs: number): RoutingSeen[] {
    return [...this.#lastSeenMs]
      .map(([hash, seenMs]) => ({ hash, ageMs: nowMs - seenMs }))
      .filter(({ ageMs }) => ageMs <= KEPT_MS)
      .map(({ hash, ageMs }) => ({ hash, lastSeenSecondsAgo: ageMs / 1000 }))
      .reverse();
  }
}
