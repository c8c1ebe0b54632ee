import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countElements,
  datatypes,
  numericConstructor,
  type Tensor,
} from '../../../runtime/tensor/datatype.ts';
import { readRaw, writeRaw } from '../../../runtime/tensor/raw.ts';

const shape = fc.array(fc.nat(4), { maxLength: 3 });

function numericTensor(datatype: Exclude<Tensor['datatype'], 'BYTES'>): fc.Arbitrary<Tensor> {
  return shape.chain((sizes) => {
    const { BYTES_PER_ELEMENT: width } = numericConstructor(datatype);
    const length = countElements(sizes) * width;
    const byte = datatype === 'BOOL' ? fc.nat(1) : fc.nat(255);
    return fc.array(byte, { minLength: length, maxLength: length }).map((bytes) => {
      const head = { name: 'x', datatype, shape: sizes };
      return { ...head, data: readRaw(head, Buffer.from(Uint8Array.from(bytes))) };
    });
  });
}

const textTensor: fc.Arbitrary<Tensor> = fc
  .array(fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', '')))
  .map((data) => ({ name: 'x', datatype: 'BYTES', shape: [data.length], data }));

function refusalOf(datatype: Tensor['datatype'], sizes: readonly number[], bytes: Buffer): string {
  try {
    readRaw({ name: 'x', datatype, shape: sizes }, bytes);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the bytes were accepted');
}

describe('a tensor as bytes', () => {
  it.each(datatypes)('comes back as it was, wherever in a body it lies: %s', (datatype) => {
    const tensors = datatype === 'BYTES' ? textTensor : numericTensor(datatype);
    fc.assert(
      fc.property(tensors, fc.nat(7), ({ data, ...head }, offset) => {
        const bytes = writeRaw({ ...head, data });
        const body = Buffer.concat([Buffer.alloc(offset), bytes]);
        expect(readRaw(head, body.subarray(offset))).toEqual(data);
      }),
    );
  });

  it('has BYTES behind their lengths', () => {
    const tensor: Tensor = { name: 'x', datatype: 'BYTES', shape: [2], data: ['ä', ''] };
    expect([...writeRaw(tensor)]).toEqual([2, 0, 0, 0, 0xc3, 0xa4, 0, 0, 0, 0]);
  });

  it.each<[string, Tensor['datatype'], number[], number[]]>([
    ['expected 8 bytes for FP32[2], got 7', 'FP32', [2], [0, 0, 0, 0, 0, 0, 0]],
    ['expected 8 bytes for INT64[1,1], got 0', 'INT64', [1, 1], []],
    ['element 1 of datatype BOOL: expected 0 or 1, got 2', 'BOOL', [2], [1, 2]],
    ['got 3 bytes that hold 0', 'BYTES', [1], [1, 0, 0]],
    ['got 5 bytes that hold 0', 'BYTES', [1], [2, 0, 0, 0, 65]],
    ['got 10 bytes that hold 1', 'BYTES', [1], [1, 0, 0, 0, 65, 1, 0, 0, 0, 65]],
    ['element 0 of datatype BYTES: expected UTF-8', 'BYTES', [1], [1, 0, 0, 0, 0xff]],
    ['element 0 of datatype BYTES: expected no NUL byte', 'BYTES', [1], [1, 0, 0, 0, 0]],
  ])('is refused with: %s', (message, datatype, sizes, bytes) => {
    expect(refusalOf(datatype, sizes, Buffer.from(bytes))).toContain(message);
  });
});
