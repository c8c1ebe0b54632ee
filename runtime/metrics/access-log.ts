import type { Logger } from 'winston';
import type { Journey, JourneyObserver, Outcome } from '../inference/journey.ts';

function endOf(outcome: Outcome): { status: number | undefined; reason: string } {
  if (outcome.kind === 'Refused') return { status: outcome.httpStatus, reason: outcome.reason };
  return { status: outcome.kind === 'Answered' ? 200 : undefined, reason: outcome.kind };
}

/** One line of the log for each infer request, at level debug: in production the decision records are the better place. */
export class AccessLog implements JourneyObserver {
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  onEnd(journey: Journey, outcome: Outcome, endedAtMs: number): void {
    const { requestId, protocol, origin, arrivedAtMs } = journey;
    const { parseMs, queueMs, batchMs, computeMs, serialiseMs, batchRows, cache } = journey;
    this.#log.debug('infer request', {
      requestId,
      protocol,
      origin,
      ...endOf(outcome),
      latencyMs: endedAtMs - arrivedAtMs,
      parseMs,
      queueMs,
      batchMs,
      computeMs,
      serialiseMs,
      batchRows,
      cache,
    });
  }
}
