const TARGET_MS = 2;
const FEWEST = 2;
const MOST = 32;
const SMOOTHING = 0.1;
const INITIAL_SERVICE_MS = 1;

/**
 * How many requests the executor holds at once: enough that it never waits for the next one, few enough that a request
 * whose client hung up can still be taken back. About 2 ms of work, between 2 and 32 requests.
 */
export class DispatchWindow {
  #serviceMs = INITIAL_SERVICE_MS;
  #lastAnswerAtMs = 0;

  /** Mean time that the executor takes for one request. */
  get serviceMs(): number {
    return this.#serviceMs;
  }

  get size(): number {
    return Math.min(MOST, Math.max(FEWEST, Math.ceil(TARGET_MS / this.#serviceMs)));
  }

  /** The executor runs one request after the other: it was busy with this one since the answer before, at most. */
  recordAnswer(dispatchedAtMs: number, nowMs: number): void {
    const serviceMs = nowMs - Math.max(dispatchedAtMs, this.#lastAnswerAtMs);
    this.#serviceMs += SMOOTHING * (serviceMs - this.#serviceMs);
    this.#lastAnswerAtMs = nowMs;
  }
}
