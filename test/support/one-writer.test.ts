import { describe, expect, test } from 'vitest';
import { lateWrites, overrulings, type Election, type LandedWrite } from './one-writer.ts';

function elected(leader: string, version: number): Election {
  return { leader, version: BigInt(version), answeredMs: version };
}

function wrote(writer: string, version: number, object = 'Service ml/fraud'): LandedWrite {
  return { object, writer, version: BigInt(version), receivedMs: version, answeredMs: version };
}

function deleted(writer: string, atMs: number): LandedWrite {
  return { object: 'Service ml/fraud', writer, receivedMs: atMs, answeredMs: atMs };
}

const elections = [elected('a', 10), elected('b', 20), elected('a', 30)];

describe('the ruler of one writer', () => {
  test.each<[string, readonly LandedWrite[], number]>([
    ['each in its own term', [wrote('a', 11), wrote('b', 21), wrote('a', 31)], 0],
    ['late, on what the successor has not written', [wrote('b', 21, 'Service ml/other'), wrote('a', 22)], 0],
    ['late, before the successor writes', [wrote('a', 21), wrote('b', 22)], 0],
    ['late, over what the successor has written', [wrote('b', 21), wrote('a', 22)], 1],
    ['late, twice', [wrote('b', 21), wrote('a', 22), wrote('a', 23)], 2],
    ['elected again meanwhile', [wrote('b', 21), wrote('a', 31)], 0],
    ['by somebody who was never elected', [wrote('a', 11), wrote('c', 12)], 1],
    ['a late deletion of what the successor has written', [wrote('b', 21), deleted('a', 22)], 1],
    ['a deletion by the leader', [wrote('a', 11), deleted('b', 21)], 0],
    ['a write at the same time as a deletion', [deleted('b', 21), { ...wrote('a', 22), receivedMs: 21 }], 0],
  ])('judges writes %s', (_, writes, count) => {
    expect(overrulings(writes, elections)).toHaveLength(count);
    expect(overrulings(writes.toReversed(), elections)).toHaveLength(count);
  });

  test('tells which write came late, whatever it landed on', () => {
    const late = wrote('a', 21);
    const inTime = [wrote('a', 11), wrote('a', 19), wrote('b', 22), deleted('a', 35)];
    expect(lateWrites([late, ...inTime], elections)).toEqual([late]);
  });
});
