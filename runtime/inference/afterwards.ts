/**
 * In how many turns of the event loop an answer is on the network: at the end of the present one, or, as Node's HTTP/2
 * sends trailers, which clients of gRPC wait for, of the next.
 */
export type TurnsToLeave = 1 | 2;

/**
 * What is done for requests that have been answered, when their answers have left. Whoever acts on an answer finds it
 * done: it comes before anything that is read from the network after the answer has been written.
 */
export class Afterwards {
  #atEnd: (() => void)[] = [];
  #atNextEnd: (() => void)[] = [];
  #isPlanned = false;

  /** `task` must not throw. */
  add(turns: TurnsToLeave, task: () => void): void {
    (turns === 1 ? this.#atEnd : this.#atNextEnd).push(task);
    this.#plan();
  }

  /** Does all that is left now. */
  finish(): void {
    while (this.#isPlanned) this.#end();
  }

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    setImmediate(() => this.#end());
  }

  #end(): void {
    const due = this.#atEnd;
    this.#atEnd = this.#atNextEnd;
    this.#atNextEnd = [];
    this.#isPlanned = false;
    if (this.#atEnd.length > 0) this.#plan();
    for (const task of due) task();
  }
}
