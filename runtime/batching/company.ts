const SMOOTHING = 0.1;
const MOST_OFTEN = 0.5;

/**
 * Whether, and how soon, another request follows one that is not answered yet. A single client that asks again after
 * each answer never has company, however fast it is.
 */
export class Company {
  #share = 0;
  #gapMs = 0;
  lastArrivalAtMs = -Infinity;

  recordArrival(unanswered: number, nowMs: number): void {
    const hasCompany = unanswered > 0;
    this.#share += SMOOTHING * ((hasCompany ? 1 : 0) - this.#share);
    if (hasCompany) {
      const gapMs = nowMs - this.lastArrivalAtMs;
      if (Number.isFinite(gapMs)) this.#gapMs += SMOOTHING * (gapMs - this.#gapMs);
    }
    this.lastArrivalAtMs = nowMs;
  }

  /** Undefined when most requests are alone. */
  get expectedGapMs(): number | undefined {
    return this.#share > MOST_OFTEN ? this.#gapMs : undefined;
  }
}
