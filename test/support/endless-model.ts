import { field, numberField, valueInfo } from './onnx-model.ts';

/**
 * A model whose work grows with what it is asked: it multiplies two matrices of the size that is its input. [2,2] takes
 * nothing, [6000,6000] some ten seconds and 300 MB.
 */
export function buildEndlessModel(): Buffer {
  const node = (operator: string, inputs: readonly string[], output: string): Buffer =>
    field(1, ...inputs.map((name) => field(1, name)), field(2, output), field(4, operator));
  const graph = field(
    7,
    node('ConstantOfShape', ['size'], 'matrix'),
    node('MatMul', ['matrix', 'matrix'], 'product'),
    node('Shape', ['product'], 'product_size'),
    field(2, 'endless'),
    field(11, valueInfo('size', { type: 'INT64', shape: [2] })),
    field(12, valueInfo('product_size', { type: 'INT64', shape: [2] })),
  );
  return Buffer.concat([numberField(1, 9), graph, field(8, numberField(2, 18))]);
}

export function endlessRequest(size: number): string {
  const input = { name: 'size', datatype: 'INT64', shape: [2], data: [size, size] };
  return JSON.stringify({ inputs: [input] });
}
