/** Throws the same numbers for the same seed, on every machine (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  pick<Item>(items: readonly Item[]): Item | undefined {
    return items[this.below(items.length)];
  }

  /** One of the items, each as likely as its weight says. */
  pickWeighted<Item extends { readonly weight: number }>(items: readonly Item[]): Item | undefined {
    const total = items.reduce((sum, { weight }) => sum + weight, 0);
    let left = this.next() * total;
    return items.find(({ weight }) => (left -= weight) < 0) ?? items.at(-1);
  }
}
