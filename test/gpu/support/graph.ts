import { field, numberField, onnxTypes, valueInfo } from '../../support/onnx-model.ts';

export interface Value {
  readonly name: string;
  readonly type: keyof typeof onnxTypes;
  readonly shape: readonly (number | string)[];
}

export interface Node {
  readonly operator: string;
  /** Empty names are inputs left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly domain?: string;
  readonly attributes?: readonly Buffer[];
}

export interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface Graph {
  readonly nodes: readonly Node[];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Of FP32, all ones. */
  readonly weights?: readonly Weight[];
}

/** An AttributeProto that is a whole number (type 2). */
export function numberAttribute(name: string, value: number): Buffer {
  return Buffer.concat([field(1, name), numberField(3, value), numberField(20, 2)]);
}

function node({ operator, inputs, outputs, domain = '', attributes = [] }: Node): Buffer {
  return field(
    1,
    ...inputs.map((name) => field(1, name)),
    ...outputs.map((name) => field(2, name)),
    field(4, operator),
    ...attributes.map((attribute) => field(5, attribute)),
    field(7, domain),
  );
}

function weight({ name, shape }: Weight): Buffer {
  const ones = new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(1);
  return field(
    5,
    ...shape.map((size) => numberField(1, size)),
    numberField(2, onnxTypes.FP32),
    field(8, name),
    field(9, Buffer.from(ones.buffer)),
  );
}

const OPERATORS = field(8, numberField(2, 18));
const OPERATORS_OF_ONNX_RUNTIME = field(8, field(1, 'com.microsoft'), numberField(2, 1));

/** A ModelProto. */
export function buildGraph({ nodes, inputs, outputs, weights = [] }: Graph): Buffer {
  const graph = field(
    7,
    ...nodes.map(node),
    field(2, 'test'),
    ...weights.map(weight),
    ...inputs.map((value) => field(11, valueInfo(value.name, value))),
    ...outputs.map((value) => field(12, valueInfo(value.name, value))),
  );
  return Buffer.concat([numberField(1, 9), graph, OPERATORS, OPERATORS_OF_ONNX_RUNTIME]);
}
