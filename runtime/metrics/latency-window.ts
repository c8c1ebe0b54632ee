const SLOT_MS = 1000;
const SLOT_COUNT = 30;
const SMALLEST_MS = 0.01;
/** Each bucket is 2 % wider than the one before: an answer is never further from the truth than that. */
const GROWTH = 1.02;
const LARGEST_MS = 60_000;
const BUCKET_COUNT = Math.ceil(Math.log(LARGEST_MS / SMALLEST_MS) / Math.log(GROWTH)) + 1;

/** Length of the window, which the operator puts beside the numbers. */
export const WINDOW_SECONDS = (SLOT_MS * SLOT_COUNT) / 1000;

interface Slot {
  /** Which second of the clock the slot holds. */
  second: number;
  requests: number;
  errors: number;
  measured: number;
  readonly buckets: Uint32Array;
}

export interface WindowCounts {
  readonly requests: number;
  readonly errors: number;
}

function bucketOf(latencyMs: number): number {
  if (!(latencyMs > SMALLEST_MS)) return 0;
  return Math.min(BUCKET_COUNT - 1, Math.ceil(Math.log(latencyMs / SMALLEST_MS) / Math.log(GROWTH)));
}

function upperEdgeMs(bucket: number): number {
  return Math.min(LARGEST_MS, SMALLEST_MS * GROWTH ** bucket);
}

/**
 * Requests, errors and latencies of the last 30 s, in one-second slots: the memory is the same for one request and for
 * a million, and an idle server forgets by itself. Time is an argument, in milliseconds of a clock that never goes back.
 */
export class LatencyWindow {
  readonly #slots: Slot[] = Array.from({ length: SLOT_COUNT }, () => ({
    second: -1,
    requests: 0,
    errors: 0,
    measured: 0,
    buckets: new Uint32Array(BUCKET_COUNT),
  }));

  /** `latencyMs` is undefined for answers that never reached the model: a fast refusal must not look like speed. */
  record(answer: { latencyMs: number | undefined; isError: boolean }, nowMs: number): void {
    const slot = this.#slotAt(nowMs);
    slot.requests++;
    if (answer.isError) slot.errors++;
    if (answer.latencyMs === undefined) return;
    const bucket = bucketOf(answer.latencyMs);
    slot.buckets[bucket] = (slot.buckets[bucket] ?? 0) + 1;
    slot.measured++;
  }

  counts(nowMs: number): WindowCounts {
    const slots = this.#currentSlots(nowMs);
    return {
      requests: slots.reduce((sum, slot) => sum + slot.requests, 0),
      errors: slots.reduce((sum, slot) => sum + slot.errors, 0),
    };
  }

  /** The latency that at least this share of the answers kept; 0 without traffic, at most 60,000. */
  quantileMs(share: number, nowMs: number): number {
    const slots = this.#currentSlots(nowMs).filter(({ measured }) => measured > 0);
    const total = slots.reduce((sum, slot) => sum + slot.measured, 0);
    if (total === 0) return 0;
    const rank = Math.max(1, Math.ceil(share * total));
    let passed = 0;
    for (let bucket = 0; bucket < BUCKET_COUNT; bucket++) {
      for (const { buckets } of slots) passed += buckets[bucket] ?? 0;
      if (passed >= rank) return upperEdgeMs(bucket);
    }
    return LARGEST_MS;
  }

  #currentSlots(nowMs: number): Slot[] {
    const second = Math.floor(nowMs / SLOT_MS);
    return this.#slots.filter((slot) => slot.second > second - SLOT_COUNT && slot.second <= second);
  }

  #slotAt(nowMs: number): Slot {
    const second = Math.floor(nowMs / SLOT_MS);
    const slot = this.#slots[second % SLOT_COUNT] as Slot;
    if (slot.second !== second) {
      slot.second = second;
      slot.requests = 0;
      slot.errors = 0;
      slot.measured = 0;
      slot.buckets.fill(0);
    }
    return slot;
  }
}
