const GENERATION = 8;

/**
 * How long clients wait: the longest time that any of the last requests gave, 8 to 16 of them. A request says in its
 * body how long it is of use, which nobody knows before the body is read; that it gives more time than all before it is
 * not likely, and to suppose less would refuse what can be answered in time.
 */
export class Patience {
  #longestMs = 0;
  #longestBeforeMs = Infinity;
  #count = 0;

  /** Infinity: for ever. */
  record(patienceMs: number): void {
    this.#longestMs = Math.max(this.#longestMs, patienceMs);
    if (++this.#count < GENERATION) return;
    this.#longestBeforeMs = this.#longestMs;
    this.#longestMs = 0;
    this.#count = 0;
  }

  /** Infinity until enough have come. */
  get longestMs(): number {
    return Math.max(this.#longestMs, this.#longestBeforeMs);
  }
}
