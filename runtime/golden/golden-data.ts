import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { StartFailure } from '../errors.ts';
import type { ModelSignature, Tensor } from '../tensor/datatype.ts';
import type { InferWork } from '../tensor/validate.ts';
import { describeDifference } from './compare.ts';
import { parseTensorProto } from './tensor-proto.ts';

/** Inputs and what the model must answer to them, as the ONNX model zoo ships them beside each model. */
export interface GoldenSet {
  /** The folder's name: test_data_set_0, … */
  readonly name: string;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

export const GOLDEN_FOLDER = /^test_data_set_\d+$/u;
export const GOLDEN_FILE = /^(?:input|output)_\d+[.]pb$/u;
export const MOST_GOLDEN_SETS = 16;
export const MOST_GOLDEN_BYTES = 256 * 2 ** 20;

function invalid(message: string, cause?: unknown): StartFailure {
  return new StartFailure('GoldenDataMismatch', message, { cause });
}

async function readTensors(folder: string, kind: 'input' | 'output'): Promise<Tensor[]> {
  const names = (await readdir(folder)).filter((name) => GOLDEN_FILE.test(name) && name.startsWith(kind));
  const placeOf = (name: string): number => Number(/\d+/u.exec(name)?.[0]);
  const tensors: Tensor[] = [];
  for (const name of names.toSorted((left, right) => placeOf(left) - placeOf(right))) {
    const file = path.join(folder, name);
    if ((await stat(file)).size > MOST_GOLDEN_BYTES) throw invalid(`the golden data ${file} is too large`);
    try {
      tensors.push(parseTensorProto(await readFile(file)));
    } catch (error) {
      throw invalid(`the golden data ${file} cannot be read: ${(error as Error).message}`, error);
    }
  }
  return tensors;
}

/** Those beside the model; none where there are none. Rejects with StartFailure. */
export async function readGoldenSets(modelPath: string): Promise<GoldenSet[]> {
  const folder = path.dirname(modelPath);
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory() && GOLDEN_FOLDER.test(entry.name));
  if (names.length > MOST_GOLDEN_SETS) {
    throw invalid(`there are ${names.length} golden sets beside the model; keep at most ${MOST_GOLDEN_SETS}`);
  }
  const sets: GoldenSet[] = [];
  for (const { name } of names) {
    const set = path.join(folder, name);
    sets.push({ name, inputs: await readTensors(set, 'input'), outputs: await readTensors(set, 'output') });
  }
  return sets;
}

/** Files without names stand for the model's tensors in their order. */
function named(tensors: readonly Tensor[], specifications: ModelSignature['inputs']): Tensor[] {
  return tensors.map((tensor, index) => ({
    ...tensor,
    name: tensor.name === '' ? (specifications[index]?.name ?? '') : tensor.name,
  }));
}

export interface CheckedModel {
  readonly signature: ModelSignature;
  readonly run: (work: InferWork) => Promise<readonly Tensor[]>;
  /** It runs on a GPU. */
  readonly isOnDevice: boolean;
}

/** Runs every set. Rejects with StartFailure when an answer is another one than it was where the model was made. */
export async function checkGoldenSets(
  sets: readonly GoldenSet[],
  { signature, run, isOnDevice }: CheckedModel,
): Promise<void> {
  for (const { name, inputs, outputs } of sets) {
    const expected = named(outputs, signature.outputs);
    const work = {
      inputs: named(inputs, signature.inputs),
      outputNames: expected.map((output) => output.name),
    };
    const actual = await run(work).catch((error: unknown) => {
      throw invalid(`the model fails on the golden data ${name}: ${(error as Error).message}`, error);
    });
    const differences = expected.map((output, index) =>
      describeDifference(output, actual[index], isOnDevice),
    );
    const difference = differences.find((text) => text !== undefined);
    if (difference !== undefined) {
      throw invalid(
        `the model answers the golden data ${name} otherwise than where it was made: ${difference}. Check its export, or the data beside it`,
      );
    }
  }
}
