import { askedAtMs } from './proof.ts';
import type { Facts } from './facts.ts';

/** How often a rollout looks for evidence against its candidate. */
export const LOOK_WHILE_ROLLING_MS = 1_000;

/** A patched weight reaches a gateway in about 0.1 s, so look closely at first … */
const LOOK_FOR_PROOF_MS = 250;
/** … and calmly once it has taken so long that something is wrong. */
const PATIENCE_MS = 15_000;
const LOOK_FOR_LATE_PROOF_MS = 2_000;

export function lookForProofMs(facts: Facts, nowMs: number): number {
  const elapsedMs = nowMs - askedAtMs(facts, facts.modelDeployment.status, nowMs);
  return elapsedMs < PATIENCE_MS ? LOOK_FOR_PROOF_MS : LOOK_FOR_LATE_PROOF_MS;
}
