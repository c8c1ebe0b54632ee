import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeWorks, NotByRowsError, splitOutputs } from '../../../runtime/batching/merge.ts';
import { countElements, type Tensor } from '../../../runtime/tensor/datatype.ts';
import type { InferWork } from '../../../runtime/tensor/validate.ts';

/** Builds tensors of any number of rows, every element of which is different. */
type Maker = (rows: number) => Tensor;

const innerShape = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 });
let counter = 0;

const numeric = fc
  .tuple(fc.constantFrom('FP32', 'INT64', 'UINT8', 'FP16'), innerShape)
  .map(([datatype, inner]): Maker => {
    return (rows) => {
      const shape = [rows, ...inner];
      const values = Array.from({ length: countElements(shape) }, () => counter++ % 251);
      const data = {
        FP32: () => Float32Array.from(values),
        INT64: () => BigInt64Array.from(values.map(BigInt)),
        UINT8: () => Uint8Array.from(values),
        FP16: () => Uint16Array.from(values),
      }[datatype]();
      return { name: 'numbers', datatype, shape, data };
    };
  });

const text = innerShape.map((inner): Maker => (rows) => {
  const shape = [rows, ...inner];
  return {
    ...{ name: 'text', datatype: 'BYTES', shape },
    data: Array.from({ length: countElements(shape) }, () => `${counter++}`),
  };
});

const makers = fc.array(fc.oneof(numeric, text), { minLength: 1, maxLength: 3 });
const rowCounts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 });

describe('a batch', () => {
  it('gives each request its own rows back, whatever the datatypes, shapes and row counts', () => {
    fc.assert(
      fc.property(makers, rowCounts, (make, counts) => {
        const works = counts.map((rows): InferWork => ({
          inputs: make.map((maker) => maker(rows)),
          outputNames: ['y'],
        }));
        const merged = mergeWorks(works);
        const total = counts.reduce((sum, rows) => sum + rows, 0);
        expect(merged.inputs.map(({ shape }) => shape[0])).toEqual(make.map(() => total));
        expect(splitOutputs(merged.inputs, counts)).toEqual(works.map(({ inputs }) => inputs));
      }),
    );
  });

  it('of one request is that request, without a copy', () => {
    const data = Float32Array.of(1, 2);
    const x: Tensor = { name: 'x', datatype: 'FP32', shape: [1, 2], data };
    const { inputs, outputNames } = mergeWorks([{ inputs: [x], outputNames: ['y'] }]);
    expect(inputs).toEqual([x]);
    expect(inputs[0]?.data).toBe(data);
    expect(outputNames).toEqual(['y']);
  });

  it('is no batch when the model answers with another number of rows', () => {
    const output: Tensor = { name: 'y', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(1, 2) };
    expect(() => splitOutputs([output], [1, 1])).toThrow(
      new NotByRowsError("output 'y': expected 2 rows, got shape [1,2]"),
    );
  });
});
