import { StartFailure } from '../errors.ts';
import type { FeatureBaseline } from './baseline.ts';

/** The baselines of each tensor's features in order; null where one has none. */
export type TensorBaselines = ReadonlyMap<string, readonly (FeatureBaseline | null)[]>;

export interface BaselineFile {
  readonly inputs: TensorBaselines;
  readonly outputs: TensorBaselines;
}

type Json = Readonly<Record<string, unknown>>;

function fail(where: string, expected: string): never {
  throw new StartFailure(
    'ConfigurationInvalid',
    `the baseline of drift is no use: ${where}: expected ${expected}`,
  );
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readNumbers(value: unknown, where: string): number[] {
  const isFine =
    Array.isArray(value) && value.every((item) => typeof item === 'number' && Number.isFinite(item));
  return isFine ? (value as number[]) : fail(where, 'an array of numbers');
}

function readNumeric(given: Json, where: string): FeatureBaseline {
  const edges = readNumbers(given['edges'], `${where}.edges`);
  const counts = readNumbers(given['counts'], `${where}.counts`);
  if (edges.length === 0 || edges.length > 4096) fail(`${where}.edges`, '1 to 4096 edges');
  if (edges.some((edge, index) => index > 0 && edge <= (edges[index - 1] ?? edge))) {
    fail(`${where}.edges`, 'each edge above the one before');
  }
  if (counts.length !== edges.length + 1)
    fail(`${where}.counts`, `${edges.length + 1} counts, one more than edges`);
  if (counts.some((count) => count < 0)) fail(`${where}.counts`, 'no count below 0');
  const [min, max] = readNumbers([given['min'], given['max']], `${where}.min and max`);
  return { kind: 'Numeric', edges, counts, min: min ?? 0, max: max ?? 0 };
}

function readCategories(given: Json, where: string): FeatureBaseline {
  const counts = given['counts'];
  if (!isObject(counts)) return fail(`${where}.counts`, 'an object of counts by category');
  readNumbers(Object.values(counts), `${where}.counts`);
  return { kind: 'Category', counts: counts as Record<string, number> };
}

function readFeature(given: unknown, where: string): FeatureBaseline | null {
  if (given === null) return null;
  if (!isObject(given)) return fail(where, 'an object or null');
  if (given['kind'] === 'Numeric') return readNumeric(given, where);
  if (given['kind'] === 'Category') return readCategories(given, where);
  return fail(`${where}.kind`, 'Numeric or Category');
}

function readTensors(given: unknown, where: string): TensorBaselines {
  if (given === undefined) return new Map();
  if (!isObject(given)) return fail(where, 'an object of lists by name of the tensor');
  return new Map(
    Object.entries(given).map(([name, features]) => {
      if (!Array.isArray(features)) return fail(`${where}.${name}`, 'a list of features');
      return [name, features.map((feature, index) => readFeature(feature, `${where}.${name}[${index}]`))];
    }),
  );
}

/** The text of a baseline.json. Throws StartFailure with the place and what was expected there. */
export function parseBaselineFile(text: string): BaselineFile {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    return fail('the file', `JSON (${(error as Error).message})`);
  }
  if (!isObject(given)) return fail('the file', 'an object with inputs and outputs');
  return {
    inputs: readTensors(given['inputs'], 'inputs'),
    outputs: readTensors(given['outputs'], 'outputs'),
  };
}
