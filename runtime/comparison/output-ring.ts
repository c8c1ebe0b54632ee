import type { Journey, JourneyObserver, Outcome } from '../inference/journey.ts';
import type { Origin } from '../inference/origin.ts';
import { isSampled } from '../inference/sampling.ts';
import { boundedTensorText } from '../records/tensor-text.ts';

const MOST_KEPT = 1024;
const KEPT_MS = 60_000;
const MOST_ELEMENTS = 64;
const MOST_OUTPUTS = 8;

export interface KeptAnswer {
  readonly sequence: number;
  readonly requestId: string;
  readonly origin: Origin;
  readonly endedAtMs: number;
  readonly latencyMs: number;
  readonly status: number;
  /** JSON of the outputs, each cut to 64 values; null where there is no answer. */
  readonly outputs: string | null;
}

function describeOutcome(
  outcome: Exclude<Outcome, { kind: 'HungUp' }>,
): Pick<KeptAnswer, 'status' | 'outputs'> {
  if (outcome.kind === 'Refused') return { status: outcome.httpStatus, outputs: null };
  const outputs = outcome.answer.outputs.slice(0, MOST_OUTPUTS);
  return {
    status: 200,
    outputs: `[${outputs.map((output) => boundedTensorText(output, MOST_ELEMENTS)).join(',')}]`,
  };
}

/**
 * Answers of the last minute, to be held against those of another revision to the same requests. Under load fewer are
 * kept: the share halves until a minute's worth fits. The hash of the request's id decides, so what a busy revision keeps
 * is a part of what a less busy one keeps, and the two have as many requests in common as can be.
 */
export class OutputRing implements JourneyObserver {
  #kept: KeptAnswer[] = [];
  #share = 1;
  #sequence = 0;
  #grownAtMs = 0;

  get share(): number {
    return this.#share;
  }

  onEnd({ requestId, origin, arrivedAtMs }: Journey, outcome: Outcome, endedAtMs: number): void {
    if (outcome.kind === 'HungUp' || origin === 'Preview' || !isSampled(requestId, this.#share)) return;
    const latencyMs = endedAtMs - arrivedAtMs;
    const sequence = ++this.#sequence;
    this.#kept.push({ sequence, requestId, origin, endedAtMs, latencyMs, ...describeOutcome(outcome) });
    if (this.#kept.length > MOST_KEPT) this.#shrink(endedAtMs);
    else if (this.#share < 1 && endedAtMs - this.#grownAtMs > KEPT_MS) this.#forget(endedAtMs);
  }

  /** What came after the given sequence, oldest first. */
  list(afterSequence: number, nowMs: number): readonly KeptAnswer[] {
    this.#forget(nowMs);
    return this.#kept.filter(({ sequence }) => sequence > afterSequence);
  }

  #shrink(nowMs: number): void {
    this.#forget(nowMs);
    while (this.#kept.length > MOST_KEPT) {
      this.#share /= 2;
      this.#grownAtMs = nowMs;
      this.#kept = this.#kept.filter(({ requestId }) => isSampled(requestId, this.#share));
    }
  }

  /** After a minute with room for four times as many, twice as many are kept again. */
  #forget(nowMs: number): void {
    const firstYoung = this.#kept.findIndex(({ endedAtMs }) => nowMs - endedAtMs <= KEPT_MS);
    this.#kept = firstYoung < 0 ? [] : this.#kept.slice(firstYoung);
    const hasRoom = this.#kept.length < MOST_KEPT / 4 && nowMs - this.#grownAtMs > KEPT_MS;
    if (this.#share === 1 || !hasRoom) return;
    this.#share *= 2;
    this.#grownAtMs = nowMs;
  }
}
