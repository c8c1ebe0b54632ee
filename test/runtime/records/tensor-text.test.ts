import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boundedTensorText, redactedTensorText, tensorText } from '../../../runtime/records/tensor-text.ts';
import { readTensorText } from '../../../runtime/replay/recorded-tensor.ts';
import type { Tensor } from '../../../runtime/tensor/datatype.ts';
import { floats, integers } from '../../support/journey.ts';

function arbitraryTensor(): fc.Arbitrary<Tensor> {
  return fc.oneof(
    fc
      .float32Array({ maxLength: 2000 })
      .map((data): Tensor => ({ name: 'x', datatype: 'FP32', shape: [data.length], data })),
    fc.float64Array().map((data): Tensor => ({ name: 'x', datatype: 'FP64', shape: [data.length], data })),
    fc.bigInt64Array().map((data): Tensor => ({ name: 'x', datatype: 'INT64', shape: [data.length], data })),
    fc.uint16Array().map((data): Tensor => ({ name: 'x', datatype: 'FP16', shape: [data.length], data })),
    fc
      .array(fc.string().filter((text) => !text.includes('\0')))
      .map((data): Tensor => ({ name: 'a "b"', datatype: 'BYTES', shape: [data.length], data })),
    fc.array(fc.boolean()).map((values): Tensor => ({
      name: 'x',
      datatype: 'BOOL',
      shape: [values.length],
      data: Uint8Array.from(values, Number),
    })),
  );
}

describe('a tensor in a record', () => {
  it('is JSON and reads back as it was, whatever it holds', () => {
    fc.assert(
      fc.property(arbitraryTensor(), (tensor) => {
        expect(() => JSON.parse(tensorText(tensor)) as unknown).not.toThrow();
        expect(readTensorText(tensorText(tensor))).toEqual(tensor);
      }),
    );
  });

  it('is readable where JSON can say it', () => {
    expect(tensorText(integers('id', [1, 2]))).toBe(
      '{"name":"id","shape":[2],"datatype":"INT64","data":[1,2]}',
    );
    expect(tensorText(floats('x', [0.5, NaN]))).toContain('"raw":"');
  });

  it('is cut where it is long, and says so', () => {
    expect(boundedTensorText(floats('x', [1, 2, 3]), 2)).toBe(
      '{"name":"x","shape":[1,3],"datatype":"FP32","data":[1,2],"truncated":true}',
    );
    expect(boundedTensorText(floats('x', [1, 2, 3]), 3)).not.toContain('truncated');
  });

  it('keeps nothing but its form when it is redacted', () => {
    expect(redactedTensorText(floats('income', [4711]))).toBe(
      '{"name":"income","shape":[1,1],"datatype":"FP32","redacted":true}',
    );
  });
});
