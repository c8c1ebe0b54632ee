import { describe, expect, it } from 'vitest';
import { Feedback } from '../../../runtime/feedback/feedback.ts';
import { LocalAnswers } from '../../../runtime/feedback/local-answers.ts';
import { parseFeedback } from '../../../runtime/feedback/parse-feedback.ts';
import type { Label, WaitingAnswers } from '../../../runtime/feedback/waiting-answers.ts';
import { answered, floats, integers, journeyOf } from '../../support/journey.ts';
import { samplesOf, valueOf } from '../../support/scraped.ts';

let nowMs = 0;
const digest = 'd'.repeat(64);

function localAnswers(): WaitingAnswers {
  nowMs = 0;
  return new LocalAnswers({ mostKept: 3, keptMs: 1000 }, () => nowMs);
}

function build(answers = localAnswers(), revision = 'tumour-1'): Feedback {
  return new Feedback({ answers, labels: { revision }, modelDigest: () => digest });
}

function answer(feedback: Feedback, requestId: string, outcome = answered()): void {
  feedback.onEnd(journeyOf({ requestId }), outcome);
}

const price = answered([floats('price', [10, 20], [2, 1])]);

describe('labels that come later', () => {
  it.each<[string, Label, number]>([
    ['a number', 1, 1],
    ['a text', '1', 1],
    ['another class', 0, 0],
  ])('tell whether a class was right: %s', async (_name, label, accuracy) => {
    const feedback = build();
    answer(feedback, 'a');
    expect(await feedback.join('a', [label])).toEqual({
      ...{ revision: 'tumour-1', modelDigest: digest, predicted: ['1'] },
      ...{ labels: [label], accuracy, meanAbsoluteError: undefined },
    });
    expect(valueOf(feedback, 'headgate_feedback_accuracy')).toBe(accuracy);
  });

  it('tell of every row of a batch', async () => {
    const feedback = build();
    answer(feedback, 'a', answered([integers('label', [0, 1, 2, 2])]));
    expect((await feedback.join('a', [0, 1, 1, 2]))?.accuracy).toBe(0.75);
  });

  it('tell how far a value was away', async () => {
    const feedback = build();
    answer(feedback, 'a', price);
    expect((await feedback.join('a', [11, 17]))?.meanAbsoluteError).toBe(2);
    expect(valueOf(feedback, 'headgate_feedback_mean_absolute_error')).toBe(2);
    expect(valueOf(feedback, 'headgate_feedback_absolute_error_total')).toBe(4);
    expect(valueOf(feedback, 'headgate_feedback_accuracy')).toBeUndefined();
  });

  it('find their answer once, in time, and while there is room for it', async () => {
    const feedback = build();
    for (const id of ['a', 'b', 'c', 'd']) answer(feedback, id);
    expect(await feedback.join('a', [1])).toBeUndefined();
    nowMs = 1000;
    expect(await feedback.join('d', [1])).toBeDefined();
    expect(await feedback.join('d', [1])).toBeUndefined();
    nowMs = 1001;
    expect(await feedback.join('c', [1])).toBeUndefined();
    expect(await feedback.join('never', [1])).toBeUndefined();
  });

  it('find the latest answer where an id comes again', async () => {
    const feedback = build();
    answer(feedback, 'a', price);
    for (const id of ['a', 'b', 'c', 'a', 'b']) answer(feedback, id);
    expect(valueOf(feedback, 'headgate_feedback_waiting')).toBe(3);
    expect(await feedback.join('a', [1])).toMatchObject({ predicted: ['1'] });
  });

  it.each<[string, Label[], string]>([
    ['too few', [11], 'expected 2 labels, one a row, got 1'],
    ['no numbers', ['11', '17'], 'expected finite numbers'],
    ['not finite', [11, Infinity], 'expected finite numbers'],
  ])('that are %s are refused and change nothing', async (_name, labels, message) => {
    const feedback = build();
    answer(feedback, 'a', price);
    await expect(feedback.join('a', labels)).rejects.toThrow(message);
    expect((await feedback.join('a', [10, 20]))?.meanAbsoluteError).toBe(0);
  });

  it.each(['Mirror', 'Preview'] as const)('wait for no %s, whose answer no user has seen', (origin) => {
    const feedback = build();
    feedback.onEnd(journeyOf({ origin }), answered());
    expect(valueOf(feedback, 'headgate_feedback_waiting')).toBe(0);
  });
});

describe('labels that come to a pod of another revision', () => {
  it('count for the revision that answered', async () => {
    const answers = localAnswers();
    const [before, after] = [build(answers, 'tumour-1'), build(answers, 'tumour-2')];
    answer(before, 'a');
    answer(after, 'b');
    expect(await after.join('a', [0])).toMatchObject({ revision: 'tumour-1', accuracy: 0 });
    await after.join('b', [1]);
    expect(samplesOf(after, 'headgate_feedback_accuracy')).toEqual([
      { labels: { revision: 'tumour-1' }, value: 0 },
      { labels: { revision: 'tumour-2' }, value: 1 },
    ]);
    expect(samplesOf(before, 'headgate_feedback_accuracy')).toEqual([]);
  });

  it('are counted once, however many pods they come to at one time', async () => {
    const answers = localAnswers();
    const pods = [build(answers), build(answers), build(answers)];
    for (const pod of pods) answer(pod, 'a');
    const joined = await Promise.all([...pods, ...pods].map((pod) => pod.join('a', [1])));
    expect(joined.filter((one) => one !== undefined)).toHaveLength(1);
    const rows = pods.map((pod) => valueOf(pod, 'headgate_feedback_rows_total'));
    expect(rows.toSorted()).toEqual([0, 0, 1]);
  });

  it('make series for the latest sixteen revisions, its own among them', async () => {
    const answers = localAnswers();
    const own = build(answers, 'tumour-0');
    for (let revision = 1; revision <= 40; revision++) {
      answer(build(answers, `tumour-${revision}`), 'a');
      await own.join('a', [1]);
    }
    const revisions = samplesOf(own, 'headgate_feedback_rows_total')?.map(({ labels }) => labels['revision']);
    expect(new Set(revisions).size).toBe(16);
    expect(revisions).toEqual(expect.arrayContaining(['tumour-0', 'tumour-26', 'tumour-40']));
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
