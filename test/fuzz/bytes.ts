import type { Dice } from '../support/dice.ts';

const boundaries = [0x00, 0x01, 0x7f, 0x80, 0xff];

/** One or two bytes become others in their places: lengths still hold, so that readers get further than the frame. */
export function replaceBytes(bytes: Buffer, dice: Dice): Buffer {
  const changed = Buffer.from(bytes);
  for (let left = 1 + dice.below(2); left > 0; left -= 1) {
    const at = dice.below(changed.length);
    const isFlip = dice.below(2) === 0;
    changed[at] = isFlip ? (changed[at] ?? 0) ^ (1 << dice.below(8)) : (dice.pick(boundaries) ?? 0);
  }
  return changed;
}

/** One to eight changes of bytes: others, more, fewer, moved, cut off. Never changes its argument. */
export function mutateBytes(bytes: Buffer, dice: Dice): Buffer {
  let changed: Buffer = Buffer.from(bytes);
  for (let left = 1 + dice.below(8); left > 0; left -= 1) changed = changeOnce(changed, dice);
  return changed;
}

function changeOnce(bytes: Buffer, dice: Dice): Buffer {
  const at = dice.below(bytes.length + 1);
  const length = 1 + dice.below(8);
  const random = Buffer.from(Array.from({ length }, () => dice.below(256)));
  const other = bytes.subarray(dice.below(bytes.length + 1)).subarray(0, 4 * length);
  const parts = dice.pick<readonly Buffer[]>([
    [bytes.subarray(0, at), random, bytes.subarray(at + length)],
    [bytes.subarray(0, at), Buffer.of(dice.pick(boundaries) ?? 0), bytes.subarray(at + 1)],
    [bytes.subarray(0, at), Buffer.of((bytes[at] ?? 0) ^ (1 << dice.below(8))), bytes.subarray(at + 1)],
    [bytes.subarray(0, at), random, bytes.subarray(at)],
    [bytes.subarray(0, at), other, bytes.subarray(at)],
    [bytes.subarray(0, at), bytes.subarray(at + length)],
    dice.below(8) === 0 ? [bytes.subarray(0, at)] : [bytes],
  ]);
  return Buffer.concat(parts ?? [bytes]);
}
