import { readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Where examples/models/train.py put its results. */
export function exampleModelPath(file: string): string {
  return fileURLToPath(new URL(`../../examples/models/${file}`, import.meta.url));
}

export function exampleModelUri(file: string): string {
  return pathToFileURL(exampleModelPath(file)).href;
}

export interface Reference {
  /** An infer request of eight rows of real data, none of which a model was trained on. */
  readonly request: {
    readonly inputs: readonly [
      { readonly name: string; readonly shape: readonly number[]; readonly data: readonly number[] },
    ];
  };
  /** What scikit-learn's own models answered, row after row. */
  readonly answers: Readonly<
    Record<string, { readonly label: readonly number[]; readonly probabilities: readonly number[] }>
  >;
}

export function readReference(): Reference {
  return JSON.parse(readFileSync(exampleModelPath('reference.json'), 'utf8')) as Reference;
}

export const sampleRequest = readFileSync(exampleModelPath('sample-request.json'));

/** The numbers of the sample request: one row. */
export function readSampleRow(): readonly number[] {
  return (JSON.parse(sampleRequest.toString()) as Reference['request']).inputs[0].data;
}
