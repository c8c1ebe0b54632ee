import { describe, expect, it } from 'vitest';
import { countRecords } from '../bed/load.ts';
import { describeCounts, renderSummary } from './summary.ts';

const names = new Map([
  ['d-1', 'v1'],
  ['d-2', 'v2'],
]);

function answers(revision: string, status: number, count: number) {
  return Array.from({ length: count }, (_, index) => ({
    ...{
      atMs: index,
      sentAtMs: index,
      latencyMs: 1,
      status,
      revision,
      target: '10.11.0.10:8080',
      problem: '',
    },
  }));
}

describe('what the demo tells of its requests', () => {
  it('names versions, not revisions, with their shares', () => {
    const counts = countRecords([...answers('d-1', 200, 75), ...answers('d-2', 200, 25)]);
    expect(describeCounts(counts, names)).toBe('100 requests, 0 failed   answered by v1 75.0 %, v2 25.0 %');
  });

  it('tells the answers of the gateway itself from those of a version', () => {
    const counts = countRecords([...answers('d-1', 200, 9), ...answers('', 503, 1)]);
    expect(describeCounts(counts, names)).toBe(
      '10 requests, 1 failed   answered by gateway itself 10.0 %, v1 90.0 %',
    );
  });

  it('says that nobody answered where nobody did', () => {
    expect(describeCounts(countRecords([]), names)).toBe('0 requests, 0 failed   answered by nobody');
  });
});

describe('the summary of the demo', () => {
  it('has a line for each chapter and for each version that went back', () => {
    const good = {
      title: 'v2 takes over',
      counts: countRecords([...answers('d-1', 200, 3), ...answers('d-2', 200, 1)]),
    };
    const recovery = {
      ...{
        version: 'v3',
        reason: 'ErrorRateTooHigh',
        evidence: 'the first answer with an error',
        seconds: 1.83,
      },
    };
    const lines = renderSummary([good], [recovery], names);
    expect(lines).toContain('v2 takes over   4          0        v1 3, v2 1');
    expect(lines).toContain('v3   ErrorRateTooHigh   the first answer with an error   1.8 s');
  });
});
