import { describe, expect, it } from 'vitest';
import { readPrediction } from '../../../runtime/inference/prediction.ts';
import { floats, integers } from '../../support/journey.ts';

const confidenceOf = (value: number): number => Math.fround(value);

describe('what a classifier said', () => {
  it.each([
    [
      'the label and its probability, where a model has both',
      [integers('label', [7, 3], [2]), floats('probabilities', [0.25, 0.75, 1, 0], [2, 2])],
      { classes: ['7', '3'], confidences: [0.75, 1] },
    ],
    [
      'the place of the largest probability, where there is no label',
      [floats('softmax', [0.1, 0.7, 0.2], [1, 3])],
      { classes: ['1'], confidences: [confidenceOf(0.7)] },
    ],
    [
      'texts as labels',
      [{ name: 'label', datatype: 'BYTES' as const, shape: [2, 1], data: ['cat', 'dog'] }],
      { classes: ['cat', 'dog'], confidences: [] },
    ],
    ['nothing of logits', [floats('logits', [3, -1], [1, 2])], { classes: [], confidences: [] }],
    [
      'nothing of values that only add up to 1',
      [floats('odd', [1.5, -0.5], [1, 2])],
      { classes: [], confidences: [] },
    ],
    [
      'nothing of a distribution with NaN',
      [floats('odd', [NaN, 1], [1, 2])],
      { classes: [], confidences: [] },
    ],
    ['nothing of a regression', [floats('price', [0.3], [1, 1])], { classes: [], confidences: [] }],
    [
      'nothing of an embedding',
      [floats('embedding', [1, 0, 0, 1], [1, 2, 2])],
      { classes: [], confidences: [] },
    ],
    ['nothing of no rows', [floats('softmax', [], [0, 3])], { classes: [], confidences: [] }],
  ])('is %s', (_name, outputs, expected) => {
    expect(readPrediction(outputs)).toEqual(expected);
  });
});
