import { describe, expect, it } from 'vitest';
import { parseBaselineFile } from '../../../runtime/drift/baseline-file.ts';

const numeric = { kind: 'Numeric', edges: [0, 1], counts: [1, 98, 1], min: -3, max: 4 };
const category = { kind: 'Category', counts: { cat: 3, dog: 4 } };

describe('a baseline that is shipped with a model', () => {
  it('has the features of each tensor in order, and null for those without', () => {
    const file = parseBaselineFile(
      JSON.stringify({ inputs: { X: [numeric, null] }, outputs: { label: [category] } }),
    );
    expect(file.inputs.get('X')).toEqual([numeric, null]);
    expect(file.outputs.get('label')).toEqual([category]);
    expect(parseBaselineFile('{}').inputs.size).toBe(0);
  });

  it.each([
    ['{', 'the file: expected JSON'],
    ['[]', 'an object with inputs and outputs'],
    ['{"inputs":[]}', 'inputs: expected an object of lists'],
    ['{"inputs":{"X":{}}}', 'inputs.X: expected a list of features'],
    ['{"outputs":{"y":[7]}}', 'outputs.y[0]: expected an object or null'],
    ['{"inputs":{"X":[{"kind":"Text"}]}}', 'inputs.X[0].kind: expected Numeric or Category'],
    [JSON.stringify({ inputs: { X: [{ ...numeric, edges: [1, 1] }] } }), 'each edge above the one before'],
    [JSON.stringify({ inputs: { X: [{ ...numeric, edges: [] }] } }), '1 to 4096 edges'],
    [JSON.stringify({ inputs: { X: [{ ...numeric, counts: [1] }] } }), '3 counts, one more than edges'],
    [JSON.stringify({ inputs: { X: [{ ...numeric, counts: [1, -1, 1] }] } }), 'no count below 0'],
    [
      JSON.stringify({ inputs: { X: [{ ...numeric, min: null }] } }),
      'min and max: expected an array of numbers',
    ],
    [
      JSON.stringify({ inputs: { X: [{ ...category, counts: { a: 'b' } }] } }),
      'counts: expected an array of numbers',
    ],
  ])('is refused when it is %s, with the place: %s', (text, message) => {
    expect(() => parseBaselineFile(text)).toThrow(message);
  });
});
