/**
 * Buffers lie outside of V8's heap. V8 counts them as a reason for a full collection, which takes 30 ms here, and not for
 * one of young memory, which takes one and frees most of them: buffers of requests die young. So what they take is counted
 * here, and young memory is collected before V8 has its reason (decision 0048).
 */
export class YoungMemory {
  readonly #collect: () => void;
  readonly #limitBytes: number;
  #takenBytes = 0;

  constructor(collect: () => void, limitBytes: number) {
    this.#collect = collect;
    this.#limitBytes = limitBytes;
  }

  /** Call for buffers that live no longer than a request. */
  take(bytes: number): void {
    const wasDue = this.#takenBytes >= this.#limitBytes;
    this.#takenBytes += bytes;
    if (wasDue || this.#takenBytes < this.#limitBytes) return;
    // Not amid a request: what it still holds would be copied.
    setImmediate(() => {
      this.#takenBytes = 0;
      this.#collect();
    });
  }
}

/** Copies and all it is about twice that: a third of what makes V8 collect in full, with what lives in a server of one model. */
const COLLECTED_AFTER_BYTES = 8 * 2 ** 20;

/** Node has it with --expose-gc only, as the image starts it. */
function collectYoung(): void {
  globalThis.gc?.({ type: 'minor', execution: 'sync' });
}

/** One for the process, as V8's heap is. */
export const youngMemory = new YoungMemory(collectYoung, COLLECTED_AFTER_BYTES);
