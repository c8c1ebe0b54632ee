import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeWorks } from '../../../runtime/batching/merge.ts';
import { decodeResult, decodeWork, writeResult, writeWork } from '../../../runtime/executor/messages.ts';
import { PieceWriter } from '../../../runtime/executor/piece-writer.ts';
import { countElements, type Tensor } from '../../../runtime/tensor/datatype.ts';
import type { InferWork } from '../../../runtime/tensor/validate.ts';

function encodeWork(works: readonly InferWork[]): Buffer[] {
  const writer = new PieceWriter();
  writeWork(writer, works);
  return writer.finish();
}

const shape = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 });

const numericTypes = [
  ['BOOL', Uint8Array],
  ['INT8', Int8Array],
  ['UINT16', Uint16Array],
  ['FP16', Uint16Array],
  ['INT32', Int32Array],
  ['UINT64', BigUint64Array],
  ['INT64', BigInt64Array],
  ['FP32', Float32Array],
  ['FP64', Float64Array],
] as const;
/** Enough for the largest of the shapes above, eight bytes an element. */
const LARGEST_BYTES = 81 * 8;

function tensors(): fc.Arbitrary<Tensor[]> {
  const numeric = fc
    .record({
      name: fc.string({ unit: 'grapheme' }),
      shape,
      type: fc.constantFrom(...numericTypes),
      bytes: fc.uint8Array({ minLength: LARGEST_BYTES, maxLength: LARGEST_BYTES }),
    })
    .map(({ name, shape, type: [datatype, constructor], bytes }): Tensor => {
      const data = new constructor(bytes.slice().buffer, 0, countElements(shape));
      return { name, datatype, shape, data };
    });
  const text = fc
    .array(fc.string({ unit: 'grapheme' }))
    .map((data): Tensor => ({ name: 'text', datatype: 'BYTES', shape: [data.length], data }));
  return fc.array(fc.oneof(numeric, text));
}

describe('the messages between the two processes', () => {
  it('carry every tensor of a request bit by bit, wherever it lies in memory', () => {
    const offset = fc.integer({ min: 0, max: 8 });
    fc.assert(
      fc.property(tensors(), fc.array(fc.string()), offset, (inputs, outputNames, shift) => {
        const encoded = Buffer.concat(encodeWork([{ inputs, outputNames }]));
        const moved = Buffer.alloc(encoded.length + shift);
        encoded.copy(moved, shift);
        expect(decodeWork(moved.subarray(shift))).toEqual({ inputs, outputNames });
      }),
    );
  });

  it('are used where they lie once they begin at a multiple of eight, without a copy', () => {
    const data = new Float64Array([1, 2, 3]);
    const inputs = [
      { name: 'odd', datatype: 'BOOL', shape: [1], data: new Uint8Array(1) },
      { name: 'wide', datatype: 'FP64', shape: [3], data },
    ] as const satisfies readonly Tensor[];
    const payload = Buffer.concat(encodeWork([{ inputs, outputNames: ['y'] }]));
    const aligned = Buffer.from(new ArrayBuffer(payload.length));
    payload.copy(aligned);
    const [, wide] = decodeWork(aligned).inputs;
    expect(wide?.data).toEqual(data);
    expect((wide?.data as Float64Array).buffer).toBe(aligned.buffer);
  });

  it('carry the requests of a batch as one, row under row, without joining them first', () => {
    const rowCounts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(rowCounts, (counts) => {
        let next = 0;
        const works = counts.map((rows): InferWork => {
          const numbers = Float32Array.from({ length: rows * 2 }, () => next++);
          const texts = Array.from({ length: rows }, () => `text ${next++}`);
          const x: Tensor = { name: 'x', datatype: 'FP32', shape: [rows, 2], data: numbers };
          const t: Tensor = { name: 't', datatype: 'BYTES', shape: [rows], data: texts };
          return { inputs: [x, t], outputNames: ['y'] };
        });
        expect(decodeWork(Buffer.concat(encodeWork(works)))).toEqual(mergeWorks(works));
      }),
    );
  });

  it('leave large tensors of a batch where they lie', () => {
    const works = [1, 2].map((rows): InferWork => {
      const data = new Float32Array(rows * 8192).fill(rows);
      return { inputs: [{ name: 'x', datatype: 'FP32', shape: [rows, 8192], data }], outputNames: ['y'] };
    });
    const pieces = encodeWork(works);
    expect(decodeWork(Buffer.concat(pieces))).toEqual(mergeWorks(works));
    const memories = new Set(pieces.map(({ buffer }) => buffer));
    for (const { inputs } of works) expect(memories).toContain((inputs[0]?.data as Float32Array).buffer);
  });

  it('carry every tensor of an answer bit by bit', () => {
    fc.assert(
      fc.property(tensors(), fc.double(), (outputs, computeMs) => {
        const writer = new PieceWriter();
        writeResult(writer, { computeMs, outputs });
        expect(decodeResult(Buffer.concat(writer.finish()))).toEqual({ computeMs, outputs });
      }),
    );
  });
});
