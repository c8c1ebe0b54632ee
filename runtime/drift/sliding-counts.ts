const SLOTS = 10;

/** Counts of the last window in ten slots, so that the oldest tenth of it is forgotten at a time. */
export class SlidingCounts {
  readonly #size: number;
  readonly #slotMs: number;
  readonly #slots: { era: number; readonly counts: Uint32Array }[];

  constructor(size: number, windowMs: number) {
    this.#size = size;
    this.#slotMs = windowMs / SLOTS;
    this.#slots = Array.from({ length: SLOTS }, () => ({ era: -1, counts: new Uint32Array(size) }));
  }

  add(place: number, nowMs: number): void {
    const era = Math.floor(nowMs / this.#slotMs);
    const slot = this.#slots[era % SLOTS] as { era: number; readonly counts: Uint32Array };
    if (slot.era !== era) {
      slot.era = era;
      slot.counts.fill(0);
    }
    (slot.counts[place] as number)++;
  }

  sum(nowMs: number): number[] {
    const era = Math.floor(nowMs / this.#slotMs);
    const current = this.#slots.filter((slot) => slot.era > era - SLOTS && slot.era <= era);
    return Array.from({ length: this.#size }, (_, place) =>
      current.reduce((sum, { counts }) => sum + (counts[place] as number), 0),
    );
  }
}
