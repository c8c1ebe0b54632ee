import { JsonSettings } from '../config/json-settings.ts';
import type { Settings } from '../config/settings.ts';

/** What the values of one input, or of one column of it, must be. */
export interface ValueRule {
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  /** The only values that are taken, as text; empty: any. */
  readonly allowed: readonly string[];
}

export interface ColumnRule extends ValueRule {
  /** For messages. */
  readonly name: string;
  /** Place in the last dimension of the input. */
  readonly index: number;
}

export interface InputRule extends ValueRule {
  readonly name: string;
  /** NaN in floats and empty texts: refused, or left to the model. */
  readonly nulls: 'Refuse' | 'Allow';
  readonly columns: readonly ColumnRule[];
}

const VARIABLE = 'HEADGATE_INPUTS';

function readValueRule(rule: JsonSettings): ValueRule {
  return {
    minimum: rule.number('minimum'),
    maximum: rule.number('maximum'),
    allowed: rule.texts('allowed') ?? [],
  };
}

function readColumn(column: JsonSettings): ColumnRule {
  const read = {
    name: column.required('name', column.text('name')),
    index: column.required('index', column.number('index', 0, 2 ** 31)),
    ...readValueRule(column),
  };
  column.end();
  return read;
}

function readInput(input: JsonSettings): InputRule {
  const nulls = input.text('nulls') ?? 'Allow';
  if (nulls !== 'Refuse' && nulls !== 'Allow') return input.fail('nulls', 'Refuse or Allow');
  const read: InputRule = {
    name: input.required('name', input.text('name')),
    nulls,
    ...readValueRule(input),
    columns: (input.objects('columns') ?? []).map(readColumn),
  };
  input.end();
  return read;
}

/** `spec.runtime.inputs` as JSON. */
export function readInputRules(settings: Settings): readonly InputRule[] {
  const value = settings.json(VARIABLE);
  if (value === undefined) return [];
  const inputs = new JsonSettings(settings, VARIABLE, { inputs: value });
  return (inputs.objects('inputs') ?? []).map(readInput);
}
