import fc from 'fast-check';
import { expect, it } from 'vitest';
import { seal, unseal } from '../../../runtime/cache/sealed.ts';
import type { Tensor } from '../../../runtime/tensor/datatype.ts';

const outputs: Tensor[] = [
  { name: 'label', datatype: 'INT64', shape: [2], data: BigInt64Array.of(-1n, 2n ** 62n) },
  { name: 'text', datatype: 'BYTES', shape: [1], data: ['東京'] },
];

it('gives back what was sealed', () => {
  expect(unseal('key', seal('key', outputs))).toEqual(outputs);
});

it('gives nothing under another key', () => {
  expect(unseal('other', seal('key', outputs))).toBeUndefined();
});

it('gives nothing when a bit has changed, or anything is cut off or added', () => {
  const sealed = seal('key', outputs);
  fc.assert(
    fc.property(fc.nat({ max: sealed.length * 8 - 1 }), (bit) => {
      const damaged = Buffer.from(sealed);
      damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(unseal('key', damaged)).toBeUndefined();
    }),
  );
  for (let length = 0; length < sealed.length; length++) {
    expect(unseal('key', sealed.subarray(0, length))).toBeUndefined();
  }
  expect(unseal('key', Buffer.concat([sealed, Buffer.of(0)]))).toBeUndefined();
});
