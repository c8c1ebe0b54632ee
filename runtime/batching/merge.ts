import { allocate, type Datatype, type Tensor, type TensorData } from '../tensor/datatype.ts';
import type { InferWork } from '../tensor/validate.ts';

/** One input of several requests, row under row, each request's data where it lies. */
export interface StackedInput extends Omit<Tensor, 'data'> {
  readonly parts: readonly TensorData[];
}

/** What one run takes for several requests. Pre: they are of one bucket, and there is at least one. */
export function stackInputs(works: readonly InferWork[]): StackedInput[] {
  const [first, ...others] = works;
  if (first === undefined) throw new Error('a batch of no requests');
  return first.inputs.map(({ name, datatype, shape, data }, index) => {
    const further = others.map(({ inputs }) => inputs[index] as Tensor);
    if (further.length === 0) return { name, datatype, shape, parts: [data] };
    const rows = further.reduce((sum, other) => sum + (other.shape[0] ?? 0), shape[0] ?? 0);
    const parts = [data, ...further.map((other) => other.data)];
    return { name, datatype, shape: [rows, ...shape.slice(1)], parts };
  });
}

function joinData(datatype: Datatype, parts: readonly TensorData[]): TensorData {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  if (datatype === 'BYTES') return (parts as readonly string[][]).flat();
  const joined = allocate(
    datatype,
    parts.reduce((length, part) => length + part.length, 0),
  );
  let position = 0;
  for (const part of parts) {
    // All parts have the datatype of the model's input, hence one kind of array.
    (joined as Float32Array).set(part as Float32Array, position);
    position += part.length;
  }
  return joined;
}

/** One run for several requests, their data joined. Pre: as of stackInputs. */
export function mergeWorks(works: readonly InferWork[]): InferWork {
  const inputs = stackInputs(works).map(({ parts, ...head }) => ({
    ...head,
    data: joinData(head.datatype, parts),
  }));
  return { inputs, outputNames: works[0]?.outputNames ?? [] };
}

/** The answers to parts of a request, row under row. Pre: at least one, of one model to the same outputs. */
export function joinOutputs(answers: readonly (readonly Tensor[])[]): Tensor[] {
  return [...mergeWorks(answers.map((inputs) => ({ inputs, outputNames: [] }))).inputs];
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

/** Some rows of a tensor, in memory shared with it. */
export function sliceRows({ name, datatype, shape, data }: Tensor, from: number, rows: number): Tensor {
  const size = data.length / (shape[0] ?? 1);
  const [start, end] = [from * size, (from + rows) * size];
  const own = Array.isArray(data) ? data.slice(start, end) : data.subarray(start, end);
  return { name, datatype, shape: [rows, ...shape.slice(1)], data: own };
}
