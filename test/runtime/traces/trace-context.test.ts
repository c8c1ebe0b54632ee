import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTraceparent } from '../../../runtime/traces/trace-context.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const parentSpanId = 'b7ad6b7169203331';

describe('the header traceparent', () => {
  it.each([
    ['01', true],
    ['00', false],
    // Other flags are none of ours.
    ['03', true],
    ['fe', false],
  ])('with the flags %s says that its sender records: %s', (flags, isSampled) => {
    expect(parseTraceparent(`00-${traceId}-${parentSpanId}-${flags}`)).toEqual({
      traceId,
      parentSpanId,
      isSampled,
    });
  });

  it('of a later version is read as far as it is known', () => {
    expect(parseTraceparent(`cc-${traceId}-${parentSpanId}-01-what-comes`)).toMatchObject({ traceId });
  });

  it.each([
    ['absent', undefined],
    ['empty', ''],
    ['of the forbidden version', `ff-${traceId}-${parentSpanId}-01`],
    ['too long for its version', `00-${traceId}-${parentSpanId}-01-more`],
    ['without a trace', `00-${'0'.repeat(32)}-${parentSpanId}-01`],
    ['without a parent', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['in upper case', `00-${traceId.toUpperCase()}-${parentSpanId}-01`],
    ['cut', `00-${traceId}-${parentSpanId}`],
  ])('is none when it is %s', (_name, header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });

  it('never makes the reader fail', () => {
    fc.assert(fc.property(fc.string(), (header) => void parseTraceparent(header)));
  });
});
