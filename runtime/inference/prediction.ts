import type { Tensor } from '../tensor/datatype.ts';

/** What a classifier said, row by row, as far as its outputs show it. */
export interface Prediction {
  /** A label, or the place of the largest probability; empty for models that are no classifiers. */
  readonly classes: readonly string[];
  /** The largest probability of each row; empty where no output holds probabilities. */
  readonly confidences: readonly number[];
}

const MOST_CLASSES = 10_000;
const MOST_ELEMENTS = 100_000;
const SUM_TOLERANCE = 1e-3;
const integerDatatypes: ReadonlySet<string> = new Set([
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
]);

interface TopOfRow {
  readonly place: number;
  readonly probability: number;
}

function topOfRow(values: Float32Array | Float64Array, start: number, width: number): TopOfRow | undefined {
  let sum = 0;
  let place = 0;
  let probability = -1;
  for (let index = 0; index < width; index++) {
    const value = values[start + index] as number;
    // Also refuses NaN.
    if (!(value >= -SUM_TOLERANCE && value <= 1 + SUM_TOLERANCE)) return undefined;
    sum += value;
    if (value > probability) {
      probability = value;
      place = index;
    }
  }
  return Math.abs(sum - 1) <= SUM_TOLERANCE ? { place, probability } : undefined;
}

function mayHoldProbabilities({ shape, data }: Tensor): boolean {
  const width = shape.at(-1) ?? 1;
  const isOfRows = shape.length === 1 || shape.length === 2;
  return isOfRows && width >= 2 && width <= MOST_CLASSES && data.length > 0 && data.length <= MOST_ELEMENTS;
}

/** Undefined unless every row of the tensor is a distribution over two or more classes. */
function readProbabilities(tensor: Tensor): TopOfRow[] | undefined {
  const { data, shape } = tensor;
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return undefined;
  if (!mayHoldProbabilities(tensor)) return undefined;
  const width = shape.at(-1) ?? 1;
  const rows: TopOfRow[] = [];
  for (let start = 0; start < data.length; start += width) {
    const top = topOfRow(data, start, width);
    if (top === undefined) return undefined;
    rows.push(top);
  }
  return rows;
}

/** One value a row: [N] or [N,1]. */
function isLabels({ datatype, shape, data }: Tensor): boolean {
  const hasOneARow = shape.length === 1 || (shape.length === 2 && shape[1] === 1);
  return (
    hasOneARow && data.length <= MOST_ELEMENTS && (datatype === 'BYTES' || integerDatatypes.has(datatype))
  );
}

function namesOf({ data }: Tensor): string[] {
  const names: string[] = [];
  for (const label of data) names.push(String(label));
  return names;
}

export function readPrediction(outputs: readonly Tensor[]): Prediction {
  let probabilities: readonly TopOfRow[] | undefined;
  for (const output of outputs) probabilities ??= readProbabilities(output);
  const labels = outputs.find(isLabels);
  const confidences = probabilities?.map(({ probability }) => probability) ?? [];
  if (labels !== undefined) return { classes: namesOf(labels), confidences };
  return { classes: probabilities?.map(({ place }) => String(place)) ?? [], confidences };
}
