import type { Executor } from '../executor/executor.ts';

/** Work that an executor holds in reserve, so that it never waits for the next piece. */
const RESERVE_MS = 2;
const FEWEST = 2;
const MOST = 32;

/** One executor and the batches that it has. It runs one after the other. */
export class Lane {
  readonly executor: Executor;
  #inFlight = 0;
  #expectedMs = 0;
  #lastAnswerAtMs = 0;
  /** Kept free for a request that may be the end of its process. */
  isReserved = false;

  constructor(executor: Executor) {
    this.executor = executor;
  }

  get isReady(): boolean {
    return this.executor.state === 'ready';
  }

  get isIdle(): boolean {
    return this.#inFlight === 0;
  }

  /** How long the batches that it has will take, counted from the moment it began the first. */
  get expectedMs(): number {
    return this.#expectedMs;
  }

  /**
   * Enough that it never waits, few enough that a request whose client hung up can still be taken back. `gathers`: a
   * batch that is still open grows while the executor works, which is worth more than to have it there early.
   */
  hasRoom(gathers: boolean): boolean {
    if (!this.isReady || this.isReserved || this.#inFlight >= MOST) return false;
    return this.#inFlight < (gathers ? 1 : FEWEST) || this.#expectedMs < RESERVE_MS;
  }

  begin(expectedMs: number): void {
    this.#inFlight++;
    this.#expectedMs += expectedMs;
  }

  /** How long the batch kept the executor busy, as seen from here. */
  end(expectedMs: number, dispatchedAtMs: number, nowMs: number): number {
    this.#inFlight--;
    this.#expectedMs = this.isIdle ? 0 : this.#expectedMs - expectedMs;
    const busyMs = nowMs - Math.max(dispatchedAtMs, this.#lastAnswerAtMs);
    this.#lastAnswerAtMs = nowMs;
    return busyMs;
  }
}
