import { allocate, type Tensor, type TensorData } from '../tensor/datatype.ts';
import type { InferWork } from '../tensor/validate.ts';

function joinData(parts: readonly Tensor[]): TensorData {
  const [first] = parts;
  if (first === undefined) throw new Error('nothing to join');
  if (Array.isArray(first.data)) return parts.flatMap(({ data }) => data as string[]);
  const joined = allocate(
    first.datatype,
    parts.reduce((length, { data }) => length + data.length, 0),
  );
  let position = 0;
  for (const { data } of parts) {
    // All parts have the datatype of the model's input, hence one kind of array.
    (joined as Float32Array).set(data as Float32Array, position);
    position += data.length;
  }
  return joined;
}

/** One run for several requests. Pre: they are of one bucket, and there is at least one. */
export function mergeWorks(works: readonly InferWork[]): InferWork {
  const [first] = works;
  if (first === undefined) throw new Error('a batch of no requests');
  if (works.length === 1) return first;
  const inputs = first.inputs.map((head, index) => {
    const parts = works.map(({ inputs }) => inputs[index] as Tensor);
    const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
    return { ...head, shape: [rows, ...head.shape.slice(1)], data: joinData(parts) };
  });
  return { inputs, outputNames: first.outputNames };
}

/** The model's answer has not one row for each row of the batch. */
export class NotByRowsError extends Error {}

/** Each request's own rows of the outputs, in memory shared with them. Throws NotByRowsError. */
export function splitOutputs(outputs: readonly Tensor[], rowCounts: readonly number[]): Tensor[][] {
  if (rowCounts.length === 1) return [[...outputs]];
  const total = rowCounts.reduce((sum, rows) => sum + rows, 0);
  const wrong = outputs.find(({ shape }) => shape[0] !== total);
  if (wrong !== undefined) {
    throw new NotByRowsError(
      `output '${wrong.name}': expected ${total} rows, got shape [${wrong.shape.join(',')}]`,
    );
  }
  let start = 0;
  return rowCounts.map((rows) => {
    const from = start;
    start += rows;
    return outputs.map((output) => sliceRows(output, from, rows));
  });
}

function sliceRows({ name, datatype, shape, data }: Tensor, from: number, rows: number): Tensor {
  const size = data.length / (shape[0] ?? 1);
  const [start, end] = [from * size, (from + rows) * size];
  const own = Array.isArray(data) ? data.slice(start, end) : data.subarray(start, end);
  return { name, datatype, shape: [rows, ...shape.slice(1)], data: own };
}
