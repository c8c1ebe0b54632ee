/** Slower is believed at once, faster only after a while: to be late costs more than to have shed one too many. */
const SMOOTHING_UP = 0.2;
const SMOOTHING_DOWN = 0.02;
const SLOWEST = 50;

/** Of the accepted requests; where the margin comes to rest. */
const TOLERATED_MISSES = 0.02;
const MARGIN_STEP = 0.1;
const SMALLEST_MARGIN = 0.1;
const LARGEST_MARGIN = 4;

/** How far the cost curve can be relied upon for a promise. */
export class Pace {
  #factor = 1;
  #margin = 1;

  /** How much longer batches keep an executor busy than the curve says: messages, and whoever else uses the cores. */
  get factor(): number {
    return this.#factor;
  }

  /** The share of the predicted time that is kept in reserve. */
  get margin(): number {
    return this.#margin;
  }

  recordRun(expectedMs: number, busyMs: number): void {
    if (expectedMs <= 0) return;
    const factor = Math.min(SLOWEST, Math.max(1, busyMs / expectedMs));
    this.#factor += (factor > this.#factor ? SMOOTHING_UP : SMOOTHING_DOWN) * (factor - this.#factor);
  }

  /** Of an accepted request with a deadline. */
  recordOutcome(isInTime: boolean): void {
    const step = isInTime ? -MARGIN_STEP * TOLERATED_MISSES : MARGIN_STEP;
    this.#margin = Math.min(LARGEST_MARGIN, Math.max(SMALLEST_MARGIN, this.#margin + step));
  }
}
