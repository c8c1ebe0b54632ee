import { describe, expect, it } from 'vitest';
import { bucketKey, countRows, explainNoBatchAxis } from '../../../runtime/batching/bucket.ts';
import type { Tensor, TensorSpecification } from '../../../runtime/tensor/datatype.ts';

type Shape = TensorSpecification['shape'];

function specifications(prefix: string, shapes: readonly Shape[]): TensorSpecification[] {
  return shapes.map((shape, index) => ({ name: `${prefix}${index}`, datatype: 'FP32', shape }));
}

describe('the batch axis of a model', () => {
  it.each<[string, Shape[], Shape[], string | undefined]>([
    ['a leading size without a name', [[-1, 30]], [[-1], [-1, 2]], undefined],
    [
      'a leading symbol',
      [
        ['batch', 'length'],
        ['batch', 'length'],
      ],
      [['batch', 384]],
      undefined,
    ],
    ['outputs that call it otherwise', [['batch', 3]], [['output_dim_0', 3]], undefined],
    ['a fixed size', [[1, 3, 224, 224]], [[1, 1000]], "the first dimension of input 'x0' is fixed"],
    ['a scalar', [['batch', 3], []], [['batch']], "the first dimension of input 'x1' is fixed"],
    ['a fixed output', [['batch', 3]], [[1]], "the first dimension of output 'y0' is fixed"],
    [
      'another symbol',
      [
        ['n', 3],
        ['m', 3],
      ],
      [['n']],
      "the first dimensions of inputs 'x0' and 'x1' are not the same",
    ],
    ['one symbol twice', [['n', 'n']], [['n']], "dimension 'n' is no batch axis alone"],
    ['no inputs', [], [['n']], 'it has no inputs'],
  ])('is found or missed with a reason: %s', (_, inputs, outputs, reason) => {
    const signature = { inputs: specifications('x', inputs), outputs: specifications('y', outputs) };
    expect(explainNoBatchAxis(signature)).toBe(reason);
  });
});

function workOf(shapes: readonly (readonly number[])[], outputNames: readonly string[] = ['y']) {
  const inputs = shapes.map((shape): Tensor => ({
    name: 'x',
    datatype: 'FP32',
    shape,
    data: new Float32Array(),
  }));
  return { inputs, outputNames };
}

describe('the bucket of a request', () => {
  it.each([
    ['another number of rows', workOf([[7, 3, 4]]), true],
    ['another size behind the batch axis', workOf([[1, 4, 3]]), false],
    ['the same digits in other sizes', workOf([[1, 34]]), false],
    ['other outputs', workOf([[1, 3, 4]], ['y', 'z']), false],
  ])('is the same or not: %s', (_, other, isSame) => {
    expect(bucketKey(other) === bucketKey(workOf([[1, 3, 4]]))).toBe(isSame);
  });

  it.each([
    ['of its inputs, when they agree', [[2, 3], [2]], 2],
    ['unknown, when they do not', [[2, 3], [3]], undefined],
    ['unknown, when there are none', [[0, 3]], undefined],
    ['unknown for a scalar', [[]], undefined],
  ])('has rows: %s', (_, shapes, rows) => {
    expect(countRows(workOf(shapes))).toBe(rows);
  });
});
