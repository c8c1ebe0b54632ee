import { references, type Routing } from '../traffic/routing.ts';
import { leftovers, type Facts, type RevisionFacts } from './facts.ts';
import type { PodObservation } from './observed.ts';
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
      !references(facts.askedRouting, revision.name) &&
      !references(routing, revision.name) &&
      provenLongEnough(proof, nowMs) &&
      revision.pods.every((pod) => isIdle(facts, pod)),
  );
}

function provenLongEnough(proof: Proof, nowMs: number): boolean {
  if (proof.kind === 'Nothing') return true;
  return proof.kind === 'Proven' && nowMs - proof.sinceMs >= DRAIN_SECONDS * 1000;
}

/** A pod that is not ready is in no EndpointSlice; one that is must say itself that nothing arrives. */
function isIdle({ observed }: Facts, { name, ready }: PodObservation): boolean {
  if (!ready) return true;
  const report = observed.reports.get(name);
  if (report === undefined || report.inFlight > 0) return false;
  return report.lastRequestSecondsAgo === null || report.lastRequestSecondsAgo >= DRAIN_SECONDS;
}
