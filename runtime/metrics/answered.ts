import type { Journey, Outcome } from '../inference/journey.ts';
import type { Origin } from '../inference/origin.ts';

/** What counts of an answer, in any protocol. */
export interface Answered {
  readonly origin: Origin;
  /** Of HTTP, also where the answer went out over gRPC. */
  readonly status: number;
  /** From the arrival of the request to its answer. */
  readonly latencyMs: number;
}

/** Undefined when nobody was there any more to be answered. */
export function answeredOf(journey: Journey, outcome: Outcome, endedAtMs: number): Answered | undefined {
  if (outcome.kind === 'HungUp') return undefined;
  const status = outcome.kind === 'Answered' ? 200 : outcome.httpStatus;
  return { origin: journey.origin, status, latencyMs: endedAtMs - journey.arrivedAtMs };
}
