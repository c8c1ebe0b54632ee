const SMOOTHING = 0.1;
const SLOWEST = 20;

/** How much longer batches keep an executor busy than the cost curve says: messages, and whoever else uses the cores. */
export class Pace {
  #factor = 1;

  get factor(): number {
    return this.#factor;
  }

  record(expectedMs: number, busyMs: number): void {
    if (expectedMs <= 0) return;
    const factor = Math.min(SLOWEST, Math.max(1, busyMs / expectedMs));
    this.#factor += SMOOTHING * (factor - this.#factor);
  }
}
