import { describe, expect, it } from 'vitest';
import {
  noParameters,
  type ParameterValue,
  type RequestedOutput,
} from '../../../runtime/inference/inference.ts';
import type { ClassPrediction } from '../../../runtime/output/readable.ts';
import { present, type Presented } from '../../../runtime/output/present.ts';
import { noOutputSettings, type OutputSettings } from '../../../runtime/output/settings.ts';
import type { Tensor } from '../../../runtime/tensor/datatype.ts';

const label: Tensor = { name: 'label', datatype: 'INT64', shape: [2], data: BigInt64Array.of(1n, 0n) };
const probabilities: Tensor = {
  name: 'probabilities',
  datatype: 'FP32',
  shape: [2, 4],
  data: Float32Array.of(0.125, 0.5, 0.25, 0.125, 1, 0, 0, 0),
};
const low: Tensor = { name: 'low', datatype: 'FP32', shape: [2, 1], data: Float32Array.of(1, 2) };
const middle: Tensor = { name: 'middle', datatype: 'FP32', shape: [2, 1], data: Float32Array.of(3, 4) };

interface Wish {
  readonly readable?: boolean;
  readonly outputs?: readonly RequestedOutput[];
}

function show(tensors: readonly Tensor[], wish: Wish, settings: Partial<OutputSettings> = {}): Presented {
  const parameters =
    wish.readable === undefined
      ? noParameters
      : new Map<string, ParameterValue>([['readable', wish.readable]]);
  return present({ parameters, outputs: wish.outputs }, tensors, { ...noOutputSettings, ...settings });
}

function classesOf(name: string, classification: ParameterValue): RequestedOutput {
  return { name, parameters: new Map([['classification', classification]]) };
}

describe('what a client gets of the outputs', () => {
  it('is the very tensors where it asks for nothing else', () => {
    const tensors = [label, probabilities];
    expect(show(tensors, {})).toEqual({ outputs: tensors, predictions: undefined });
    expect(show(tensors, { readable: false }).predictions).toBeUndefined();
  });

  it('has labels, the likeliest classes, entropy in bits and a mark of doubt', () => {
    const settings = { labels: ['a', 'b', 'c'], topK: 2, lowConfidence: 0.6 };
    expect(show([label, probabilities], { readable: true }, settings).predictions).toEqual([
      {
        label: 'b',
        class: 1,
        confidence: 0.5,
        probabilities: [
          { label: 'b', probability: 0.5 },
          { label: 'c', probability: 0.25 },
        ],
        entropyBits: 1.75,
        lowConfidence: true,
      },
      {
        label: 'a',
        class: 0,
        confidence: 1,
        probabilities: [
          { label: 'a', probability: 1 },
          { label: 'b', probability: 0 },
        ],
        entropyBits: 0,
        lowConfidence: false,
      },
    ]);
  });

  it('has no mark of doubt at the limit itself', () => {
    const { predictions } = show([probabilities], { readable: true }, { lowConfidence: 0.5 });
    expect((predictions as ClassPrediction[]).map(({ lowConfidence }) => lowConfidence)).toEqual([
      false,
      false,
    ]);
  });

  it('has places for labels and no mark where nothing is set', () => {
    const [first] = show([probabilities], { readable: true }).predictions as ClassPrediction[];
    expect(first?.label).toBe('1');
    expect(first).not.toHaveProperty('lowConfidence');
  });

  it('has intervals of a regressor that gives them', () => {
    const settings = { value: 'middle', lower: 'low' };
    expect(show([low, middle], { readable: true }, settings).predictions).toEqual([
      { value: 3, lower: 1 },
      { value: 4, lower: 2 },
    ]);
  });

  it.each<[string, readonly Tensor[], Partial<OutputSettings>]>([
    ['expected one output with a probability for each class, got none', [label, low], {}],
    [
      'got several; name it in spec.runtime.output.probabilities',
      [probabilities, { ...probabilities, name: 'p' }],
      {},
    ],
    ["expected the output 'scores' among the requested ones", [probabilities], { probabilities: 'scores' }],
    ["expected output 'label' to be FP32 or FP64, got INT64", [label], { value: 'label' }],
  ])('is refused with: %s', (message, tensors, settings) => {
    expect(() => show(tensors, { readable: true }, settings)).toThrow(message);
  });

  it('has classes instead of a tensor where an output is asked for so', () => {
    const { outputs } = show(
      [label, probabilities],
      { outputs: [{ name: 'label', parameters: noParameters }, classesOf('probabilities', 1)] },
      { labels: ['a', 'b'] },
    );
    expect(outputs[0]).toBe(label);
    expect(outputs[1]).toMatchObject({ datatype: 'BYTES', shape: [2, 1], data: ['0.5:1:b', '1:0:a'] });
  });

  it('has the tensor where none of its classes are asked for', () => {
    expect(show([probabilities], { outputs: [classesOf('probabilities', 0)] }).outputs).toEqual([
      probabilities,
    ]);
  });

  it.each<ParameterValue>([-1, 1.5, true, 'three', 2n ** 60n])(
    'refuses %s as a number of classes',
    (count) => {
      expect(() => show([probabilities], { outputs: [classesOf('probabilities', count)] })).toThrow(
        "parameter 'classification' of output 'probabilities'",
      );
    },
  );
});
