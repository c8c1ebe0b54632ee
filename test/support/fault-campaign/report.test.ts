import { describe, expect, test } from 'vitest';
import type { Case } from './faults.ts';
import { missedOf, type Verdict } from './report.ts';

const CASE: Case = { strategy: 'Canary', fault: 'dropped', key: 'ADDED pods v1 #1' };

function verdict(planned: Partial<Case>, isStruck: boolean, keys: readonly string[]): Verdict {
  return { ...CASE, ...planned, isStruck, keys: new Set(keys), problems: [], seconds: 1 };
}

/** So many rollouts that met their own fault elsewhere, the first of them without the key. */
function others(count: number, without: number): readonly Verdict[] {
  return Array.from({ length: count }, (_, index) =>
    verdict({ key: `other #${index}` }, true, index < without ? [] : [CASE.key]),
  );
}

describe('a fault that did not come', () => {
  test('is missed where the other rollouts have its place', () => {
    const never = [verdict({}, false, []), verdict({}, false, [])];
    expect(missedOf([...never, ...others(20, 0)])).toEqual(['Canary, dropped: ADDED pods v1 #1']);
    expect(missedOf([...never, ...others(20, 1)])).toHaveLength(1);
  });

  test('is missed where its rollout had the place and there is no other to compare with', () => {
    expect(missedOf([verdict({}, false, [CASE.key])])).toHaveLength(1);
  });

  test('is not missed where other rollouts do without the place now and then', () => {
    expect(missedOf([verdict({}, false, []), ...others(20, 2)])).toEqual([]);
  });

  test('is not missed where it came in a later try', () => {
    expect(missedOf([verdict({}, false, []), verdict({}, true, [CASE.key]), ...others(20, 0)])).toEqual([]);
  });

  test('is judged by the rollouts of its own strategy alone', () => {
    const elsewhere = others(20, 20).map((other) => ({ ...other, strategy: 'Shadow' as const }));
    expect(missedOf([verdict({}, false, []), ...elsewhere])).toHaveLength(1);
  });
});
