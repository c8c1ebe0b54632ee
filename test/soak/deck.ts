import type { Dice } from '../support/dice.ts';

export interface Kind<Item> {
  readonly item: Item;
  readonly copies: number;
}

/** Deals at random, and yet everything comes once before anything comes again, and then as often as it should. */
export class Deck<Item> {
  private readonly kinds: readonly Kind<Item>[];
  private readonly dice: Dice;
  private left: Item[] = [];
  private readonly dealt = new Set<Item>();

  constructor(kinds: readonly Kind<Item>[], dice: Dice) {
    this.kinds = kinds;
    this.dice = dice;
  }

  get hasDealtAll(): boolean {
    return this.dealt.size === this.kinds.length;
  }

  deal(): Item {
    if (this.left.length === 0) {
      const isFirstHand = this.dealt.size === 0;
      this.left = this.kinds.flatMap(({ item, copies }) =>
        Array.from({ length: isFirstHand ? 1 : copies }, () => item),
      );
    }
    const [item] = this.left.splice(this.dice.below(this.left.length), 1);
    if (item === undefined) throw new Error('a deck of nothing deals nothing');
    this.dealt.add(item);
    return item;
  }
}
