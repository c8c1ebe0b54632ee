import { describe, expect, it } from 'vitest';
import { Settings } from '../../../runtime/config/settings.ts';
import {
  noOutputSettings,
  readOutputSettings,
  type OutputSettings,
} from '../../../runtime/output/settings.ts';

function read(value: unknown): OutputSettings {
  return readOutputSettings(new Settings({ HEADGATE_OUTPUT: JSON.stringify(value) }));
}

describe('the meaning of the outputs', () => {
  it('is none where nothing is said', () => {
    expect(readOutputSettings(new Settings({}))).toEqual(noOutputSettings);
    expect(read({})).toEqual(noOutputSettings);
  });

  it('is what the ModelDeployment says', () => {
    const names = { probabilities: 'p', value: 'v', lower: 'l', upper: 'u' };
    expect(read({ ...names, labels: ['a', 'b'], topK: 2, lowConfidencePercent: 60 })).toEqual({
      ...names,
      labels: ['a', 'b'],
      topK: 2,
      lowConfidence: 0.6,
    });
  });

  it.each<[string, unknown]>([
    ["HEADGATE_OUTPUT has the unknown member 'topk'; remove it", { topk: 3 }],
    ['HEADGATE_OUTPUT.topK is not what is expected; set a number from 1 to 1000', { topK: 0 }],
    ['HEADGATE_OUTPUT.lowConfidencePercent is not what is expected', { lowConfidencePercent: 101 }],
    ['HEADGATE_OUTPUT.labels is not what is expected; set a list of texts', { labels: [1] }],
    ['HEADGATE_OUTPUT is no JSON object', []],
  ])('is refused: %s', (words, value) => {
    expect(() => read(value)).toThrow(words);
  });
});
