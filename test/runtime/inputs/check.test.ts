import { describe, expect, it } from 'vitest';
import type { StartFailure } from '../../../runtime/errors.ts';
import { Settings } from '../../../runtime/config/settings.ts';
import { compileInputRules } from '../../../runtime/inputs/check.ts';
import { readInputRules } from '../../../runtime/inputs/settings.ts';
import type { ModelSignature, Tensor } from '../../../runtime/tensor/datatype.ts';

const signature: ModelSignature = {
  inputs: [
    { name: 'X', datatype: 'FP32', shape: ['batch', 3] },
    { name: 'count', datatype: 'INT64', shape: ['batch'] },
    { name: 'country', datatype: 'BYTES', shape: ['batch'] },
    { name: 'half', datatype: 'FP16', shape: ['batch'] },
  ],
  outputs: [],
};

function check(rules: unknown, tensor: Tensor): void {
  const settings = new Settings({ HEADGATE_INPUTS: JSON.stringify(rules) });
  compileInputRules(readInputRules(settings), signature).get(tensor.name)?.(tensor);
}

function rows(...data: number[]): Tensor {
  return { name: 'X', datatype: 'FP32', shape: [data.length / 3, 3], data: Float32Array.from(data) };
}

const counts = (...data: bigint[]): Tensor => ({
  name: 'count',
  datatype: 'INT64',
  shape: [data.length],
  data: BigInt64Array.from(data),
});
const countries = (...data: string[]): Tensor => ({
  name: 'country',
  datatype: 'BYTES',
  shape: [data.length],
  data,
});

const age = { name: 'age', index: 1, minimum: 0, maximum: 120 };

describe('the rules of the inputs', () => {
  it.each<[string, unknown, Tensor]>([
    ['values in range', [{ name: 'X', minimum: -1, maximum: 1 }], rows(-1, 0, 1)],
    ['a column in range beside others that are not', [{ name: 'X', columns: [age] }], rows(999, 120, -999)],
    ['NaN, where nothing is said of nulls', [{ name: 'X', minimum: 0 }], rows(NaN, 1, 2)],
    ['known categories', [{ name: 'country', allowed: ['CH', 'JP'] }], countries('JP', 'CH')],
    [
      'nulls beside known categories, where nothing is said of them',
      [{ name: 'country', allowed: ['CH'] }],
      countries('', 'CH'),
    ],
    ['known numbers', [{ name: 'count', allowed: ['1', '9007199254740993'] }], counts(2n ** 53n + 1n)],
    ['anything, where no rule is', [{ name: 'country', allowed: ['CH'] }], rows(NaN, 1, 2)],
    ['no rows', [{ name: 'X', columns: [age], nulls: 'Refuse' }], rows()],
  ])('take %s', (_what, rules, tensor) => {
    expect(() => check(rules, tensor)).not.toThrow();
  });

  it.each<[string, unknown, Tensor]>([
    [
      "tensor 'X': element 2: expected at least -1 and at most 1, got 1.5",
      [{ name: 'X', minimum: -1, maximum: 1 }],
      rows(0, 0, 1.5),
    ],
    [
      "tensor 'X': element 0: expected at most 1, got Infinity",
      [{ name: 'X', maximum: 1 }],
      rows(Infinity, 0, 0),
    ],
    [
      "tensor 'X': row 1 of column 'age': expected at least 0 and at most 120, got 121",
      [{ name: 'X', columns: [age] }],
      rows(0, 0, 0, 0, 121, 0),
    ],
    ["tensor 'X': element 1: expected a value, got NaN", [{ name: 'X', nulls: 'Refuse' }], rows(0, NaN, 0)],
    [
      "tensor 'country': element 0: expected a value, got an empty text",
      [{ name: 'country', nulls: 'Refuse' }],
      countries(''),
    ],
    [
      "tensor 'country': element 1: expected one of CH, JP, got FR",
      [{ name: 'country', allowed: ['CH', 'JP'] }],
      countries('CH', 'FR'),
    ],
    [
      "tensor 'count': element 0: expected at least 0, got -9223372036854775808",
      [{ name: 'count', minimum: 0 }],
      counts(-(2n ** 63n)),
    ],
  ])('refuse with: %s', (message, rules, tensor) => {
    expect(() => check(rules, tensor)).toThrow(message);
  });

  it.each<[string, unknown]>([
    ["'Y': the model has no such input; it has 'X', 'count', 'country', 'half'", [{ name: 'Y' }]],
    [
      "column 'age' has index 3; the last dimension of the input has 3 places",
      [{ name: 'X', columns: [{ ...age, index: 3 }] }],
    ],
    ["'country': the input is BYTES, which has no minimum and maximum", [{ name: 'country', minimum: 1 }]],
    ["'half': the input is FP16", [{ name: 'half', nulls: 'Refuse' }]],
    ['HEADGATE_INPUTS.inputs[0].name is not what is expected', [{}]],
    ["HEADGATE_INPUTS.inputs[0] has the unknown member 'max'; remove it", [{ name: 'X', max: 1 }]],
    [
      'HEADGATE_INPUTS.inputs[0].nulls is not what is expected; set Refuse or Allow',
      [{ name: 'X', nulls: 'Maybe' }],
    ],
    ['HEADGATE_INPUTS.inputs is not what is expected; set a list of objects', 'X'],
  ])('that do not fit the model end the start with: %s', (message, rules) => {
    try {
      check(rules, rows());
    } catch (error) {
      const { reason, message: words } = error as StartFailure;
      expect([reason, words]).toEqual(['ConfigurationInvalid', expect.stringContaining(message)]);
      return;
    }
    throw new Error('the rules were accepted');
  });
});
