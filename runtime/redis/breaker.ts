const REST_MS = 1000;

/** Keeps from asking what just failed: after a failure nobody asks for a second, then one finds out. */
export class Breaker {
  #restsUntilMs = -Infinity;
  #isTrying = false;
  failures = 0;

  /** Whether to ask now; whoever is told so reports how it went. */
  admits(nowMs: number): boolean {
    if (this.#restsUntilMs === -Infinity) return true;
    if (nowMs < this.#restsUntilMs || this.#isTrying) return false;
    this.#isTrying = true;
    return true;
  }

  /** Whether it is known to be away: nobody asks it, or one finds out. */
  get isOpen(): boolean {
    return this.#restsUntilMs !== -Infinity;
  }

  succeeded(): void {
    this.#isTrying = false;
    this.#restsUntilMs = -Infinity;
  }

  failed(nowMs: number): void {
    this.#isTrying = false;
    this.#restsUntilMs = nowMs + REST_MS;
    this.failures++;
  }
}
