import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinPieces } from '../../../runtime/body/pieces.ts';
import type { Tensor } from '../../../runtime/tensor/datatype.ts';
import { parseInferRequest } from '../../../runtime/tensor/infer-request.ts';
import { encodeInferAnswer } from '../../../runtime/tensor/infer-response.ts';

const name = fc.string({ unit: 'grapheme', minLength: 1 });

function tensorOf<Element>(
  datatype: Tensor['datatype'],
  element: fc.Arbitrary<Element>,
  toData: (elements: Element[]) => Tensor['data'],
): fc.Arbitrary<Tensor> {
  return fc
    .record({ name, elements: fc.array(element) })
    .map(({ name, elements }) => ({ name, datatype, shape: [elements.length], data: toData(elements) }));
}

const tensor = fc.oneof(
  tensorOf('INT64', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (values) =>
    BigInt64Array.from(values),
  ),
  tensorOf('UINT64', fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (values) => BigUint64Array.from(values)),
  tensorOf('FP32', fc.float(), (values) => Float32Array.from(values)),
  tensorOf('FP64', fc.double(), (values) => Float64Array.from(values)),
  tensorOf('INT8', fc.integer({ min: -128, max: 127 }), (values) => Int8Array.from(values)),
  tensorOf('BOOL', fc.nat({ max: 1 }), (values) => Uint8Array.from(values)),
  tensorOf('BYTES', fc.string({ unit: 'grapheme' }), (values) =>
    values.map((text) => text.replaceAll('\0', '')),
  ),
);

function encode(outputs: readonly Tensor[], id?: string): string {
  const answer = { modelName: 'fraud', modelVersion: '1', id, outputs, predictions: undefined };
  return joinPieces(encodeInferAnswer(answer).json).toString();
}

describe('an answer', () => {
  it('reads back as the very tensors that the model gave', () => {
    fc.assert(
      fc.property(fc.array(tensor), (outputs) => {
        // Inputs and outputs have the same form: what reads the one reads the other.
        const { inputs } = parseInferRequest(Buffer.from(encode(outputs).replace('"outputs":', '"inputs":')));
        expect(inputs).toEqual(outputs);
      }),
      { numRuns: 500 },
    );
  });

  it('reads back as the very tensors where some of them lie behind the JSON as bytes', () => {
    fc.assert(
      fc.property(fc.uniqueArray(tensor, { selector: ({ name }) => name }), fc.nat(), (outputs, dice) => {
        const isBinary = (name: string): boolean => (name.length + dice) % 2 === 0;
        const answer = {
          modelName: 'fraud',
          modelVersion: '1',
          id: undefined,
          outputs,
          predictions: undefined,
        };
        const { json, binary } = encodeInferAnswer(answer, isBinary);
        const request = Buffer.from(joinPieces(json).toString().replace('"outputs":', '"inputs":'));
        expect(parseInferRequest(request, Buffer.concat(binary)).inputs).toEqual(outputs);
      }),
      { numRuns: 500 },
    );
  });

  it.each([1023, 1024, 4096, 4097, 20_000])(
    'reads back as the very tensors with %i numbers in one',
    (count) => {
      const data = Float32Array.from({ length: count }, (_, index) => Math.sin(index) / 3);
      const large: Tensor = { name: 'large', datatype: 'FP32', shape: [1, count], data };
      const small: Tensor = { name: 'größe', datatype: 'INT32', shape: [1], data: Int32Array.of(count) };
      const outputs = [small, large, large, small];
      const { inputs } = parseInferRequest(Buffer.from(encode(outputs).replace('"outputs":', '"inputs":')));
      expect(inputs).toEqual(outputs);
    },
  );

  it('has FP16 as bytes only', () => {
    const half: Tensor = { name: 'half', datatype: 'FP16', shape: [1], data: Uint16Array.of(0x3c00) };
    expect(() => encode([half])).toThrow("output 'half': datatype FP16 has no JSON form");
    const answer = {
      modelName: 'fraud',
      modelVersion: '1',
      id: undefined,
      outputs: [half],
      predictions: undefined,
    };
    expect(encodeInferAnswer(answer, () => true).binary).toEqual([Buffer.of(0, 0x3c)]);
  });

  it('names the model, its version and the id of the request', () => {
    const answer = { model_name: 'fraud', model_version: '1', id: 'a"b', outputs: [] };
    expect(JSON.parse(encode([], 'a"b'))).toEqual(answer);
  });

  it('has no id where the request had none', () => {
    expect(JSON.parse(encode([]))).not.toHaveProperty('id');
  });
});
