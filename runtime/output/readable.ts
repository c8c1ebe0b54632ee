import { RequestError } from '../errors.ts';
import { topPlaces } from '../tensor/classification.ts';
import type { Tensor } from '../tensor/datatype.ts';
import type { OutputSettings } from './settings.ts';

export interface ClassPrediction {
  /** The name of the likeliest class, or its place where it has no name. */
  readonly label: string;
  readonly class: number;
  /** Of the likeliest class, from 0 to 1. */
  readonly confidence: number;
  /** Of the likeliest classes, highest first. */
  readonly probabilities: readonly { readonly label: string; readonly probability: number }[];
  /** Of the whole distribution, in bits: 0 is certain, log2 of the number of classes knows nothing. */
  readonly entropyBits: number;
  readonly lowConfidence?: boolean;
}

export interface ValuePrediction {
  readonly value: number;
  readonly lower?: number;
  readonly upper?: number;
}

/** What the answer says for one row, in words and numbers for people. */
export type Prediction = ClassPrediction | ValuePrediction;

type FloatTensor = Tensor & { readonly data: Float32Array | Float64Array };

function isFloat(tensor: Tensor): tensor is FloatTensor {
  return tensor.data instanceof Float32Array || tensor.data instanceof Float64Array;
}

function refuse(message: string): never {
  throw new RequestError('InvalidTensor', `no readable predictions: ${message}`);
}

function named(outputs: readonly Tensor[], name: string): FloatTensor {
  const tensor = outputs.find((output) => output.name === name);
  if (tensor === undefined) refuse(`expected the output '${name}' among the requested ones`);
  if (!isFloat(tensor)) refuse(`expected output '${name}' to be FP32 or FP64, got ${tensor.datatype}`);
  return tensor;
}

function findProbabilities(outputs: readonly Tensor[], name: string | undefined): FloatTensor {
  if (name !== undefined) return named(outputs, name);
  const [found, other] = outputs.filter(
    (output): output is FloatTensor =>
      isFloat(output) && output.shape.length > 1 && output.shape.at(-1) !== 1,
  );
  if (found !== undefined && other === undefined) return found;
  return refuse(
    `expected one output with a probability for each class, got ${found === undefined ? 'none' : 'several'}; name it in spec.runtime.output.probabilities`,
  );
}

function entropyBits(probabilities: Float32Array | Float64Array): number {
  let bits = 0;
  for (const probability of probabilities) {
    if (probability > 0) bits -= probability * Math.log2(probability);
  }
  return bits;
}

function predictClass(row: Float32Array | Float64Array, settings: OutputSettings): ClassPrediction {
  const labelOf = (place: number): string => settings.labels[place] ?? String(place);
  const places = topPlaces(row, { start: 0, size: row.length }, settings.topK);
  const best = places[0] ?? 0;
  const confidence = row[best] ?? NaN;
  return {
    label: labelOf(best),
    class: best,
    confidence,
    probabilities: places.map((place) => ({ label: labelOf(place), probability: row[place] ?? NaN })),
    entropyBits: entropyBits(row),
    ...(settings.lowConfidence !== undefined && { lowConfidence: confidence < settings.lowConfidence }),
  };
}

function predictClasses(outputs: readonly Tensor[], settings: OutputSettings): ClassPrediction[] {
  const { data, shape } = findProbabilities(outputs, settings.probabilities);
  const size = shape.at(-1) ?? 0;
  const rows = size === 0 ? 0 : data.length / size;
  return Array.from({ length: rows }, (_, row) =>
    predictClass(data.subarray(row * size, (row + 1) * size), settings),
  );
}

function predictValues(
  outputs: readonly Tensor[],
  { value, lower, upper }: OutputSettings & { readonly value: string },
): ValuePrediction[] {
  const lowers = lower === undefined ? undefined : named(outputs, lower).data;
  const uppers = upper === undefined ? undefined : named(outputs, upper).data;
  return Array.from(named(outputs, value).data, (number, row) => ({
    value: number,
    ...(lowers !== undefined && { lower: lowers[row] ?? NaN }),
    ...(uppers !== undefined && { upper: uppers[row] ?? NaN }),
  }));
}

/** One prediction for each row of the answer. Throws RequestError when the outputs do not hold one. */
export function readPredictions(outputs: readonly Tensor[], settings: OutputSettings): readonly Prediction[] {
  const { value } = settings;
  return value === undefined
    ? predictClasses(outputs, settings)
    : predictValues(outputs, { ...settings, value });
}
