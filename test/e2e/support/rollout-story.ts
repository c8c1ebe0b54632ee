import { FULL_WEIGHT } from '../../../operator/traffic/routing.ts';
import type { Load, LoadCounts, TimeRange } from '../../bed/load.ts';
import type { AuditedRequest } from '../../bed/audit.ts';
import { askedWeight, type SeenStatus } from './status-watch.ts';

/** The time for which status said that all proxies use one weight. */
export interface ProvenWindow {
  /** The candidate's, of 10000. */
  readonly weight: number;
  readonly provenAtMs: number;
  /** When the operator wrote the next routing that divides otherwise, by the API server's own record. */
  readonly endedAtMs: number;
}

/**
 * One window for each weight that the candidate has had. That of all ends with the watch: whoever has all the traffic
 * keeps it when it is promoted.
 */
export function provenWindows(
  seen: readonly SeenStatus[],
  revision: string,
  routeWrites: readonly AuditedRequest[],
): ProvenWindow[] {
  const provenAtByWeight = new Map<number, number>();
  for (const { status } of seen) {
    const weight = askedWeight(status, revision);
    const provenAt = status.routing?.provenAt;
    if (provenAt === undefined || weight === 0 || provenAtByWeight.has(weight)) continue;
    provenAtByWeight.set(weight, Date.parse(provenAt));
  }
  return [...provenAtByWeight].map(([weight, provenAtMs]) => {
    const next = weight === FULL_WEIGHT ? undefined : routeWrites.find(({ at }) => at > provenAtMs);
    return { weight, provenAtMs, endedAtMs: next?.at ?? seen.at(-1)?.seenAtMs ?? provenAtMs };
  });
}

/** The answers at one gateway in one window. */
export interface Draw {
  readonly target: string;
  readonly window: ProvenWindow;
  readonly total: number;
  readonly count: number;
}

export async function drawsIn(window: ProvenWindow, load: Load, revision: string): Promise<Draw[]> {
  // Sent and answered within it: what waited longer was routed nobody knows when.
  const records = (await load.records()).filter(
    ({ atMs, sentAtMs, latencyMs }) => sentAtMs >= window.provenAtMs && atMs + latencyMs <= window.endedAtMs,
  );
  const targets = [...new Set(records.map(({ target }) => target))].sort();
  return targets.map((target) => {
    const here = records.filter((record) => record.target === target);
    const count = here.filter((record) => record.revision === revision).length;
    return { target, window, total: here.length, count };
  });
}

/** For a failed assertion: what went wrong, how often, and where. */
export async function describeFailures(load: Load, range: TimeRange = {}): Promise<string[]> {
  const counts = new Map<string, number>();
  for (const { status, target, problem, revision, atMs } of await load.failures(range)) {
    const second = new Date(atMs).toISOString().slice(11, 19);
    const sentence = `${second} ${target} ${status} ${revision} ${problem}`;
    counts.set(sentence, (counts.get(sentence) ?? 0) + 1);
  }
  return [...counts].map(([sentence, count]) => `${count} × ${sentence}`);
}

export function describeCounts({
  requests,
  failed,
  byRevision,
  latencyP50Ms,
  latencyP95Ms,
}: LoadCounts): string {
  const shares = Object.entries(byRevision).map(([revision, count]) => `${revision} ${count}`);
  const latency = `p50 ${latencyP50Ms.toFixed(1)} ms, p95 ${latencyP95Ms.toFixed(1)} ms`;
  return `${requests} requests, ${failed} failed (${shares.join(', ')}), ${latency}`;
}
