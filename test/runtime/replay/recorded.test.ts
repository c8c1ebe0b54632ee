import { describe, expect, it } from 'vitest';
import { buildDecisionRecord, toLine } from '../../../runtime/records/record.ts';
import type { RecordSettings } from '../../../runtime/records/settings.ts';
import { parseRecordLine } from '../../../runtime/replay/recorded.ts';
import type { Outcome } from '../../../runtime/inference/journey.ts';
import { answered, floats, integers, journeyOf, refused, requestOf } from '../../support/journey.ts';

const decider = { modelName: 'tumour', modelVersion: '1', modelDigest: null, revision: 'tumour-1' };

function lineOf(outcome: Outcome, content: RecordSettings['content'] = 'Full', user = 'u'): string {
  const settings: RecordSettings = {
    sampleShare: 1,
    content,
    redactedInputs: new Set(['secret']),
    userHeader: 'x-user',
    tenantHeader: undefined,
    sink: { kind: 'Stdout' },
  };
  const ending = { journey: journeyOf({}, { 'x-user': user }), outcome, latencyMs: 5, arrivedAtEpochMs: 0 };
  return toLine(buildDecisionRecord(ending, decider, settings));
}

describe('a line of records', () => {
  it('reads back as what was asked and answered, whatever stands in it', () => {
    const inputs = [
      integers('ids', [Number.MAX_SAFE_INTEGER]),
      floats('x', [0.1, NaN]),
      { name: 'a "}]" name', datatype: 'BYTES' as const, shape: [1], data: ['"outputs":[{"'] },
    ];
    const outcome = answered(undefined, inputs);
    const recorded = parseRecordLine(lineOf(outcome, 'Full', '"inputs":[{'));
    expect(recorded).toMatchObject({ requestId: 'request-1', modelName: 'tumour', latencyMs: 5, inputs });
    const { outputs } = recorded as Exclude<typeof recorded, string>;
    expect(outputs.map(({ tensor, values }) => ({ ...tensor, data: values }))).toEqual(
      outcome.answer.outputs,
    );
  });

  it('has of a cut output its form and its first values, also where they are bytes', () => {
    const long = Array.from({ length: 100 }, (_, index) => index);
    const withNaN = [NaN, ...long];
    const recorded = parseRecordLine(lineOf(answered([floats('y', long), floats('z', withNaN)])));
    const { outputs } = recorded as Exclude<typeof recorded, string>;
    expect(outputs.map(({ tensor }) => tensor.shape)).toEqual([
      [1, 100],
      [1, 101],
    ]);
    expect(outputs[0]?.values).toEqual(Float32Array.from(long.slice(0, 64)));
    expect(outputs[1]?.values).toEqual(Float32Array.from(withNaN.slice(0, 64)));
  });

  it.each([
    ['Unreadable', 'oops'],
    ['NoDecision', '{"message":"listening"}'],
    ['NoAnswer', lineOf(refused('ModelFailed', 500, requestOf()))],
    ['NoInputs', lineOf(answered(), 'Digest')],
    ['Redacted', lineOf(answered(undefined, [floats('secret', [1])]), 'Redacted')],
  ])('is left out as %s', (why, line) => {
    expect(parseRecordLine(line)).toBe(why);
  });
});
