import { describe, expect, it } from 'vitest';
import type { Journey, Outcome } from '../../../runtime/inference/journey.ts';
import { buildDecisionRecord, digestInputs, toLine } from '../../../runtime/records/record.ts';
import type { RecordSettings } from '../../../runtime/records/settings.ts';
import { answered, floats, journeyOf, refused, refusedAtOnce, requestOf } from '../../support/journey.ts';

const decider = { modelName: 'tumour', modelVersion: '1', modelDigest: 'ab12', revision: 'tumour-1' };
const inputs = [floats('age', [42]), floats('income', [4711])];

function settingsWith(given: Partial<RecordSettings> = {}): RecordSettings {
  return {
    sampleShare: 1,
    content: 'Digest',
    redactedInputs: new Set(),
    userHeader: 'x-user',
    tenantHeader: undefined,
    sink: { kind: 'Stdout' },
    ...given,
  };
}

function lineOf(
  outcome: Outcome,
  settings = settingsWith(),
  journey: Journey = journeyOf(),
): Record<string, unknown> {
  const ending = {
    journey,
    outcome,
    latencyMs: 12.345_678_9,
    arrivedAtEpochMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  };
  return JSON.parse(toLine(buildDecisionRecord(ending, decider, settings))) as Record<string, unknown>;
}

describe('the record of a decision', () => {
  it('tells who decided what for whom, when, and how sure the model was', () => {
    const journey = journeyOf({}, { 'x-user': 'u-7' });
    expect(lineOf(answered(undefined, inputs), settingsWith(), journey)).toEqual({
      type: 'decision',
      time: '2026-01-02T03:04:05.006Z',
      requestId: 'request-1',
      ...decider,
      protocol: 'rest',
      origin: 'User',
      user: 'u-7',
      inputDigest: digestInputs(inputs, new Set()),
      status: 200,
      confidence: 0.75,
      latencyMs: 12.346,
      outputs: [
        { name: 'label', shape: [1], datatype: 'INT64', data: [1] },
        { name: 'probabilities', shape: [1, 2], datatype: 'FP32', data: [0.25, 0.75] },
      ],
    });
  });

  it.each([
    [
      'a refusal with its reason',
      refused('InvalidTensor', 400, requestOf(inputs)),
      { status: 400, reason: 'InvalidTensor' },
    ],
    [
      'a failure of the model',
      refused('ModelFailed', 500, requestOf(inputs)),
      { status: 500, reason: 'ModelFailed' },
    ],
    ['a client that hung up', { kind: 'HungUp' } as const, { status: 499, reason: 'HungUp' }],
  ])('is kept of %s', (_name, outcome, expected) => {
    const line = lineOf(outcome, settingsWith({ content: 'Full' }));
    expect(line).toMatchObject(expected);
    expect(line).not.toHaveProperty('outputs');
  });

  it('marks copies of requests, whose answers nobody saw', () => {
    expect(lineOf(answered(), settingsWith(), journeyOf({ origin: 'Mirror' }))['origin']).toBe('Mirror');
  });

  it('of several rows has the confidence of the least certain', () => {
    const outcome = answered([floats('probabilities', [1, 0, 0.5, 0.5, 0, 1], [3, 2])]);
    expect(lineOf(outcome)['confidence']).toBe(0.5);
  });

  it('has the inputs in full, redacted, or as a digest alone', () => {
    const redactedInputs = new Set(['income']);
    const full = lineOf(answered(undefined, inputs), settingsWith({ content: 'Full', redactedInputs }));
    expect(full['inputs']).toMatchObject([{ data: [42] }, { data: [4711] }]);
    const redacted = lineOf(
      answered(undefined, inputs),
      settingsWith({ content: 'Redacted', redactedInputs }),
    );
    expect(redacted['inputs']).toEqual([
      { name: 'age', shape: [1, 1], datatype: 'FP32', data: [42] },
      { name: 'income', shape: [1, 1], datatype: 'FP32', redacted: true },
    ]);
    expect(lineOf(answered(undefined, inputs), settingsWith({ redactedInputs }))).not.toHaveProperty(
      'inputs',
    );
  });

  it.each(['Digest', 'Redacted'] as const)(
    'of content %s gives nothing of a redacted input away, not by its digest either',
    (content) => {
      const settings = settingsWith({ content, redactedInputs: new Set(['income']) });
      const lines = [1, 2].map((income) => {
        const outcome = answered(undefined, [floats('age', [42]), floats('income', [income])]);
        return JSON.stringify(lineOf(outcome, settings));
      });
      expect(lines[0]).toBe(lines[1]);
    },
  );

  it('keeps long outputs and long headers short', () => {
    const outcome = answered([floats('embedding', new Array<number>(5000).fill(1))]);
    const line = lineOf(outcome, settingsWith(), journeyOf({}, { 'x-user': 'u'.repeat(10_000) }));
    expect(JSON.stringify(line).length).toBeLessThan(1500);
    expect(line['outputs']).toMatchObject([{ shape: [1, 5000], truncated: true }]);
  });

  it('has no inputs where the request could not be read', () => {
    const line = lineOf(
      refused('MalformedRequest', 400),
      settingsWith({ content: 'Full' }),
      journeyOf(refusedAtOnce),
    );
    expect(line).not.toHaveProperty('inputs');
    expect(line).not.toHaveProperty('inputDigest');
  });
});

describe('the digest of inputs', () => {
  it('differs in name, shape and value, and in nothing else', () => {
    const digest = (tensor: ReturnType<typeof floats>): string => digestInputs([tensor], new Set());
    const original = digest(floats('x', [1, 2]));
    expect(digest(floats('x', [1, 2]))).toBe(original);
    const others = [floats('y', [1, 2]), floats('x', [1, 2], [2, 1]), floats('x', [1, 3])].map(digest);
    expect(new Set([original, ...others]).size).toBe(4);
  });
});
