import { digestTensors } from '../tensor/digest.ts';
import type { InferWork } from '../tensor/validate.ts';

const MOST = 1024;
/** Long enough to stop what sends it in a loop, short enough for whoever was held for the machine's fault. */
const HELD_MS = 10 * 60_000;

/** Inputs under which two processes of the model ended: they are not run again for a while. */
export class Quarantine {
  /** When each was put here, by the digest of the inputs; oldest first. */
  readonly #heldSinceMs = new Map<string, number>();

  hold({ inputs }: InferWork, nowMs: number): void {
    const digest = digestTensors(inputs);
    this.#heldSinceMs.delete(digest);
    this.#heldSinceMs.set(digest, nowMs);
    const [oldest] = this.#heldSinceMs.keys();
    if (this.#heldSinceMs.size > MOST && oldest !== undefined) this.#heldSinceMs.delete(oldest);
  }

  holds({ inputs }: InferWork, nowMs: number): boolean {
    // Digests cost time, and as a rule nothing is here.
    if (this.#heldSinceMs.size === 0) return false;
    const digest = digestTensors(inputs);
    const sinceMs = this.#heldSinceMs.get(digest);
    if (sinceMs === undefined) return false;
    if (nowMs - sinceMs < HELD_MS) return true;
    this.#heldSinceMs.delete(digest);
    return false;
  }
}
