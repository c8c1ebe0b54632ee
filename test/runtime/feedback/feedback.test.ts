import { describe, expect, it } from 'vitest';
import { Feedback, type Label } from '../../../runtime/feedback/feedback.ts';
import { parseFeedback } from '../../../runtime/feedback/parse-feedback.ts';
import { answered, floats, integers, journeyOf } from '../../support/journey.ts';

function build(): Feedback {
  return new Feedback({ mostKept: 3, keptMs: 1000 }, {});
}

function answer(feedback: Feedback, requestId: string, outcome = answered()): void {
  feedback.onEnd(journeyOf({ requestId }), outcome, 0);
}

function valueOf(feedback: Feedback, name: string): number | undefined {
  return feedback
    .scraped()
    .find((metric) => metric.name === name)
    ?.read()[0]?.value;
}

const price = answered([floats('price', [10, 20], [2, 1])]);

describe('labels that come later', () => {
  it.each<[string, Label, number]>([
    ['a number', 1, 1],
    ['a text', '1', 1],
    ['another class', 0, 0],
  ])('tell whether a class was right: %s', (_name, label, accuracy) => {
    const feedback = build();
    answer(feedback, 'a');
    expect(feedback.join('a', [label], 0)).toEqual({ predicted: ['1'], labels: [label], accuracy });
    expect(valueOf(feedback, 'headgate_feedback_accuracy')).toBe(accuracy);
  });

  it('tell of every row of a batch', () => {
    const feedback = build();
    answer(feedback, 'a', answered([integers('label', [0, 1, 2, 2])]));
    expect(feedback.join('a', [0, 1, 1, 2], 0)?.accuracy).toBe(0.75);
  });

  it('tell how far a value was away', () => {
    const feedback = build();
    answer(feedback, 'a', price);
    expect(feedback.join('a', [11, 17], 0)?.meanAbsoluteError).toBe(2);
    expect(valueOf(feedback, 'headgate_feedback_mean_absolute_error')).toBe(2);
    expect(valueOf(feedback, 'headgate_feedback_accuracy')).toBeUndefined();
  });

  it('find their answer once, in time, and while there is room for it', () => {
    const feedback = build();
    for (const id of ['a', 'b', 'c', 'd']) answer(feedback, id);
    expect(feedback.join('a', [1], 0)).toBeUndefined();
    expect(feedback.join('d', [1], 1000)).toBeDefined();
    expect(feedback.join('d', [1], 1000)).toBeUndefined();
    expect(feedback.join('c', [1], 1001)).toBeUndefined();
    expect(feedback.join('never', [1], 0)).toBeUndefined();
  });

  it.each<[string, Label[], string]>([
    ['too few', [11], 'expected 2 labels, one a row, got 1'],
    ['no numbers', ['11', '17'], 'expected finite numbers'],
    ['not finite', [11, Infinity], 'expected finite numbers'],
  ])('that are %s are refused and change nothing', (_name, labels, message) => {
    const feedback = build();
    answer(feedback, 'a', price);
    expect(() => feedback.join('a', labels, 0)).toThrow(message);
    expect(feedback.join('a', [10, 20], 0)?.meanAbsoluteError).toBe(0);
  });

  it.each(['Mirror', 'Preview'] as const)('wait for no %s, whose answer no user has seen', (origin) => {
    const feedback = build();
    feedback.onEnd(journeyOf({ origin }), answered(), 0);
    expect(valueOf(feedback, 'headgate_feedback_waiting')).toBe(0);
  });
});

describe('the body of feedback', () => {
  it.each([
    ['{"request_id":"a","label":"cat"}', { requestId: 'a', labels: ['cat'] }],
    ['{"request_id":"a","label":false}', { requestId: 'a', labels: [false] }],
    ['{"request_id":"a","labels":[1,2.5]}', { requestId: 'a', labels: [1, 2.5] }],
  ])('is %s', (text, expected) => {
    expect(parseFeedback(Buffer.from(text))).toEqual(expected);
  });

  it.each([
    '',
    '[]',
    'null',
    '{"label":1}',
    '{"request_id":7,"label":1}',
    '{"request_id":"a"}',
    '{"request_id":"a","labels":[]}',
    '{"request_id":"a","labels":[null]}',
  ])('is not %s', (text) => {
    expect(() => parseFeedback(Buffer.from(text))).toThrow(/expected \{"request_id"/u);
  });
});
