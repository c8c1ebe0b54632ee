import { join } from 'node:path';
import { exampleModelPath } from '../../test/support/example-models.ts';
import { Dice } from '../../test/support/dice.ts';
import type { BenchTensor } from '../wire/wire.ts';

export interface BenchModel {
  readonly name: string;
  readonly about: string;
  readonly file: string;
  readonly inputs: readonly BenchTensor[];
}

const SEED = 20261126;
const TOKENS = 64;
const VOCABULARY = 30_522;
const IMAGE_SHAPE = [1, 3, 224, 224] as const;

function fetched(file: string): string {
  const cache = process.env['HEADGATE_CACHE'];
  if (cache === undefined) throw new Error('HEADGATE_CACHE is not set: start this with make bench-peers');
  return join(cache, 'bench-peers/models', file);
}

/** One row of thirty features, each with a few digits, as data of people has them. */
function row(): BenchTensor {
  const dice = new Dice(SEED);
  const data = Float32Array.from({ length: 30 }, () => dice.below(100_000) / 1000);
  return { name: 'X', datatype: 'FP32', shape: [1, 30], data };
}

function tokens(): BenchTensor[] {
  const dice = new Dice(SEED);
  const tensor = (name: string, valueOf: () => number): BenchTensor => ({
    ...{ name, datatype: 'INT64', shape: [1, TOKENS] },
    data: BigInt64Array.from({ length: TOKENS }, () => BigInt(valueOf())),
  });
  return [
    tensor('input_ids', () => dice.below(VOCABULARY)),
    tensor('attention_mask', () => 1),
    tensor('token_type_ids', () => 0),
  ];
}

/** Pixels as a decoder of JPEG gives them, scaled to one: 256 different values. */
function image(): BenchTensor {
  const dice = new Dice(SEED);
  const data = Float32Array.from({ length: 3 * 224 * 224 }, () => dice.below(256) / 255);
  return { name: 'x', datatype: 'FP32', shape: IMAGE_SHAPE, data };
}

/** The models of the race; scripts of this folder and install.sh say where they come from. */
export const benchModels: readonly BenchModel[] = [
  {
    name: 'tiny',
    about: 'logistic regression, 30 features: all that is measured is the server',
    file: exampleModelPath('v1.onnx'),
    inputs: [row()],
  },
  {
    name: 'tabular',
    about: 'random forest of 50 trees, 30 features',
    file: fetched('tabular.onnx'),
    inputs: [row()],
  },
  {
    name: 'minilm',
    about: `all-MiniLM-L6-v2, int8 weights, ${TOKENS} tokens, 23 MB`,
    file: fetched('minilm.onnx'),
    inputs: tokens(),
  },
  {
    name: 'image',
    about: 'PP-LCNet, one image of 224 × 224, 7 MB',
    file: fetched('image.onnx'),
    inputs: [image()],
  },
];

/** Throws for a name that none of them has. */
export function benchModelNamed(name: string): BenchModel {
  const model = benchModels.find((candidate) => candidate.name === name);
  if (model !== undefined) return model;
  throw new Error(
    `expected one of ${benchModels.map((known) => known.name).join(', ')} for the model, got '${name}'`,
  );
}
