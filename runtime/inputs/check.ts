import { RequestError, StartFailure } from '../errors.ts';
import type { Datatype, ModelSignature, Tensor, TensorData } from '../tensor/datatype.ts';
import type { ColumnRule, InputRule, ValueRule } from './settings.ts';

/** Throws RequestError for a tensor that breaks a rule. */
export type InputCheck = (tensor: Tensor) => void;

type Value = number | bigint | string;
/** What is expected, when the value is not it. */
type ValueCheck = (value: Value) => string | undefined;

function isNull(value: Value): boolean {
  return value === '' || Number.isNaN(value);
}

function checkRange({ minimum = -Infinity, maximum = Infinity }: ValueRule): ValueCheck | undefined {
  if (minimum === -Infinity && maximum === Infinity) return undefined;
  const bounds = [
    minimum === -Infinity ? '' : `at least ${minimum}`,
    maximum === Infinity ? '' : `at most ${maximum}`,
  ];
  const expected = bounds.filter((bound) => bound !== '').join(' and ');
  // NaN is for the null policy to judge: it is in no range and out of none.
  return (value) =>
    typeof value !== 'string' && (value < minimum || value > maximum) ? expected : undefined;
}

function checkAllowed({ allowed }: ValueRule): ValueCheck | undefined {
  if (allowed.length === 0) return undefined;
  const known = new Set(allowed);
  const expected = `one of ${allowed.slice(0, 20).join(', ')}${allowed.length > 20 ? ', …' : ''}`;
  return (value) => (isNull(value) || known.has(String(value)) ? undefined : expected);
}

function checkNulls({ nulls }: InputRule): ValueCheck | undefined {
  return nulls === 'Allow' ? undefined : (value) => (isNull(value) ? 'a value' : undefined);
}

function isCheck(check: ValueCheck | undefined): check is ValueCheck {
  return check !== undefined;
}

function refuse(tensor: Tensor, place: string, problem: { expected: string; value: Value }): never {
  const got = problem.value === '' ? 'an empty text' : String(problem.value).slice(0, 40);
  throw new RequestError(
    'InvalidTensor',
    `tensor '${tensor.name}': ${place}: expected ${problem.expected}, got ${got}`,
  );
}

interface Strided {
  readonly start: number;
  readonly step: number;
}

function findFault(
  data: TensorData,
  { start, step }: Strided,
  checks: readonly ValueCheck[],
): Fault | undefined {
  for (let index = start; index < data.length; index += step) {
    const value = data[index] as Value;
    for (const check of checks) {
      const expected = check(value);
      if (expected !== undefined) return { index, expected, value };
    }
  }
  return undefined;
}

interface Fault {
  readonly index: number;
  readonly expected: string;
  readonly value: Value;
}

function checkColumn(tensor: Tensor, column: ColumnRule, checks: readonly ValueCheck[]): void {
  const step = tensor.shape.at(-1) ?? 1;
  const fault = findFault(tensor.data, { start: column.index, step }, checks);
  if (fault !== undefined) {
    refuse(tensor, `row ${Math.floor(fault.index / step)} of column '${column.name}'`, fault);
  }
}

function compileInput(rule: InputRule): InputCheck {
  const own = [checkNulls(rule), checkRange(rule), checkAllowed(rule)].filter(isCheck);
  const columns = rule.columns.map((column) => ({
    column,
    checks: [checkRange(column), checkAllowed(column)].filter(isCheck),
  }));
  return (tensor) => {
    const fault = own.length === 0 ? undefined : findFault(tensor.data, { start: 0, step: 1 }, own);
    if (fault !== undefined) refuse(tensor, `element ${fault.index}`, fault);
    for (const { column, checks } of columns) checkColumn(tensor, column, checks);
  };
}

function failRule(rule: InputRule, problem: string): never {
  throw new StartFailure('ConfigurationInvalid', `spec.runtime.inputs, '${rule.name}': ${problem}`);
}

function checkDatatype(rule: InputRule, datatype: Datatype): void {
  const valueRules: readonly ValueRule[] = [rule, ...rule.columns];
  const hasRange = valueRules.some(({ minimum, maximum }) => minimum !== undefined || maximum !== undefined);
  if (datatype === 'FP16')
    failRule(rule, 'the input is FP16, whose values are not looked at; remove the rule');
  if (hasRange && (datatype === 'BYTES' || datatype === 'BOOL')) {
    failRule(rule, `the input is ${datatype}, which has no minimum and maximum; use allowed`);
  }
}

function checkRule(rule: InputRule, { inputs }: ModelSignature): void {
  const specification = inputs.find(({ name }) => name === rule.name);
  if (specification === undefined) {
    failRule(rule, `the model has no such input; it has ${inputs.map(({ name }) => `'${name}'`).join(', ')}`);
  }
  checkDatatype(rule, specification.datatype);
  const width = specification.shape.at(-1);
  for (const { name, index } of rule.columns) {
    if (typeof width === 'number' && width >= 0 && index >= width) {
      failRule(
        rule,
        `column '${name}' has index ${index}; the last dimension of the input has ${width} places`,
      );
    }
  }
}

/** By name of the input. Throws StartFailure for rules that the model has no input for. */
export function compileInputRules(
  rules: readonly InputRule[],
  signature: ModelSignature,
): ReadonlyMap<string, InputCheck> {
  for (const rule of rules) checkRule(rule, signature);
  return new Map(rules.map((rule) => [rule.name, compileInput(rule)]));
}
