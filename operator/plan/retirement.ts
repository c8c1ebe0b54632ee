import type { KubernetesObject } from '../api/object.ts';
import { references, type Routing } from '../traffic/routing.ts';
import { leftovers, type Facts, type RevisionFacts } from './facts.ts';
import type { PodObservation, RuntimeReport } from './observed.ts';
import type { Proof } from './proof.ts';

/** How long a pod must have seen no request, after the proof that no proxy names it, before it may go (I2). */
export const DRAIN_SECONDS = 5;

/** Revisions whose pods may be ended now: nobody wants them, no proxy names them, nothing arrives any more. */
export function retirable(
  facts: Facts,
  routing: Routing | undefined,
  proof: Proof,
  nowMs: number,
): readonly RevisionFacts[] {
  return leftovers(facts).filter(
    (revision) =>
      !facts.liveRoutings.some((asked) => references(asked, revision.name)) &&
      !references(routing, revision.name) &&
      provenLongEnough(proof, nowMs) &&
      revision.pods.every((pod) => isIdle(facts, pod)),
  );
}

function provenLongEnough(proof: Proof, nowMs: number): boolean {
  if (proof.kind === 'Nothing') return true;
  return proof.kind === 'Proven' && nowMs - proof.sinceMs >= DRAIN_SECONDS * 1000;
}

/** Policies that may go now: their routes have gone, and no pod has heard of a proxy that would still use one. */
export function obsoletePolicies(
  { router, observed, modelDeployment }: Facts,
  proof: Proof,
  nowMs: number,
): readonly KubernetesObject[] {
  const ready = observed.pods.filter((pod) => pod.ready);
  const reports = ready.map(({ name }) => observed.reports.get(name));
  const areLeft = reports.every((report) => report !== undefined && isFreeOfProxies(report));
  return areLeft && provenLongEnough(proof, nowMs)
    ? router.obsoletePolicies(observed.children, modelDeployment)
    : [];
}

/** A pod that is not ready is in no EndpointSlice; one that is must say itself that nothing arrives. */
function isIdle({ observed, router }: Facts, { name, ready }: PodObservation): boolean {
  if (!ready) return true;
  const report = observed.reports.get(name);
  return report !== undefined && (router.carrier === 'EntryService' ? isUnsought(report) : isUnused(report));
}

function isUnused({ inFlight, lastRequestSecondsAgo }: RuntimeReport): boolean {
  return inFlight === 0 && isLongAgo(lastRequestSecondsAgo);
}

/**
 * A client keeps its connection to a pod for as long as it likes, whatever the entry Service says by now. So what counts
 * is that no kube-proxy sends a new one; those that are left the runtime asks to come again, as it ends.
 */
function isUnsought(report: RuntimeReport): boolean {
  const { lastConnectionSecondsAgo } = report;
  if (!isFreeOfProxies(report)) return false;
  return lastConnectionSecondsAgo === undefined ? isUnused(report) : isLongAgo(lastConnectionSecondsAgo);
}

/** What came by a route came from a proxy that still has one, over a connection that it may keep for ever. */
function isFreeOfProxies({ routings }: RuntimeReport): boolean {
  return routings.every(({ lastSeenSecondsAgo }) => isLongAgo(lastSeenSecondsAgo));
}

function isLongAgo(secondsAgo: number | null): boolean {
  return secondsAgo === null || secondsAgo >= DRAIN_SECONDS;
}
