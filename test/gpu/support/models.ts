import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildConvolutionModel } from '../../support/convolution-model.ts';
import { field, numberField, onnxTypes } from '../../support/onnx-model.ts';
import { buildGraph, numberAttribute, type Graph } from './graph.ts';

const HIDDEN = 8;
const WORDS = 16;

/** A table of embeddings as ONNX Runtime fuses it from transformers: nothing holds the ids against the table. */
const embedding: Graph = {
  nodes: [
    {
      operator: 'EmbedLayerNormalization',
      domain: 'com.microsoft',
      inputs: ['ids', '', 'words', 'positions', '', 'gamma', 'beta'],
      outputs: ['y', 'mask'],
    },
  ],
  inputs: [{ name: 'ids', type: 'INT32', shape: ['n', 4] }],
  outputs: [{ name: 'y', type: 'FP32', shape: ['n', 4, HIDDEN] }],
  weights: [
    { name: 'words', shape: [WORDS, HIDDEN] },
    { name: 'positions', shape: [4, HIDDEN] },
    { name: 'gamma', shape: [HIDDEN] },
    { name: 'beta', shape: [HIDDEN] },
  ],
};

const regions: Graph = {
  nodes: [
    {
      operator: 'RoiAlign',
      inputs: ['image', 'regions', 'ids'],
      outputs: ['y'],
      attributes: [numberAttribute('output_height', 1), numberAttribute('output_width', 1)],
    },
  ],
  inputs: [{ name: 'ids', type: 'INT64', shape: [4] }],
  outputs: [{ name: 'y', type: 'FP32', shape: [4, 1, 1, 1] }],
  weights: [
    { name: 'image', shape: [1, 1, 4, 4] },
    { name: 'regions', shape: [4, 4] },
  ],
};

const pick: Graph = {
  nodes: [{ operator: 'GatherND', inputs: ['table', 'ids'], outputs: ['y'] }],
  inputs: [{ name: 'ids', type: 'INT64', shape: ['n', 1] }],
  outputs: [{ name: 'y', type: 'FP32', shape: ['n'] }],
  weights: [{ name: 'table', shape: [WORDS] }],
};

const half: Graph = {
  nodes: [
    { operator: 'Cast', inputs: ['X'], outputs: ['x'], attributes: [numberAttribute('to', onnxTypes.FP16)] },
    { operator: 'Exp', inputs: ['x'], outputs: ['e'] },
    { operator: 'Cast', inputs: ['e'], outputs: ['y'], attributes: [numberAttribute('to', onnxTypes.FP32)] },
  ],
  inputs: [{ name: 'X', type: 'FP32', shape: ['n', 30] }],
  outputs: [{ name: 'y', type: 'FP32', shape: ['n', 30] }],
};

/** Takes as much memory as it is asked for. */
const hungry: Graph = {
  nodes: [
    { operator: 'ConstantOfShape', inputs: ['size'], outputs: ['zeros'] },
    { operator: 'Exp', inputs: ['zeros'], outputs: ['ones'] },
    {
      operator: 'ReduceSum',
      inputs: ['ones'],
      outputs: ['y'],
      attributes: [numberAttribute('keepdims', 1)],
    },
  ],
  inputs: [{ name: 'size', type: 'INT64', shape: [1] }],
  outputs: [{ name: 'y', type: 'FP32', shape: [1] }],
};

const built = {
  convolution: buildConvolutionModel(64),
  half: buildGraph(half),
  embedding: buildGraph(embedding),
  regions: buildGraph(regions),
  pick: buildGraph(pick),
  hungry: buildGraph(hungry),
} as const;

export type BuiltModel = keyof typeof built;

/** A TensorProto of FP32. */
function tensorProto(name: string, shape: readonly number[], values: readonly number[]): Buffer {
  const raw = Buffer.from(Float32Array.from(values).buffer);
  const sizes = shape.map((size) => numberField(1, size));
  return Buffer.concat([...sizes, numberField(2, onnxTypes.FP32), field(8, name), field(9, raw)]);
}

export interface GoldenTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Models in files, until `remove`. */
export class ModelFiles {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'headgate-gpu-'));

  constructor() {
    for (const [name, bytes] of Object.entries(built)) writeFileSync(this.path(name as BuiltModel), bytes);
  }

  path(name: BuiltModel): string {
    return path.join(this.#folder, `${name}.onnx`);
  }

  uri(name: BuiltModel): string {
    return pathToFileURL(this.path(name)).href;
  }

  /** The model in a folder of its own, with what it shall answer beside it. */
  uriWithGoldenData(name: BuiltModel, input: GoldenTensor, output: GoldenTensor): string {
    const folder = path.join(this.#folder, `${name}-golden`);
    const set = path.join(folder, 'test_data_set_0');
    mkdirSync(set, { recursive: true });
    copyFileSync(this.path(name), path.join(folder, 'model.onnx'));
    writeFileSync(path.join(set, 'input_0.pb'), tensorProto(input.name, input.shape, input.values));
    writeFileSync(path.join(set, 'output_0.pb'), tensorProto(output.name, output.shape, output.values));
    return pathToFileURL(path.join(folder, 'model.onnx')).href;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
