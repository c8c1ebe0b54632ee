import { beforeAll, describe, expect, it } from 'vitest';
import { allCells, confess, explore, report, type Effort, type Outcome } from './campaign.ts';
import { invariants } from './invariants/index.ts';

/** What a search on two cores can do while somebody waits. */
const EFFORT: Effort = { seed: 1, sweeps: 1, walks: 3, steps: 60, states: 100 };

describe('the production plan, in every world that the search reaches', () => {
  let outcome: Outcome;

  beforeAll(() => {
    outcome = explore(EFFORT);
    console.log(report(outcome, EFFORT));
  }, 2_400_000);

  it('never leads to a state that must not be', () => {
    expect(outcome.bad === undefined ? '' : confess(outcome.bad, EFFORT)).toBe('');
  });

  it('has met every fault and every decision of the user in every phase', () => {
    expect(allCells().filter((cell) => !outcome.census.cells.has(cell))).toEqual([]);
  });

  it('was held to every invariant many times', () => {
    const codes = [...new Set([...invariants.map(({ code }) => code), 'I10', 'I12', 'I16'])];
    const rarelyChecked = codes.filter((code) => (outcome.census.checks.get(code) ?? 0) < 100);
    expect(rarelyChecked).toEqual([]);
  });

  it('has gone through more worlds than a person could', () => {
    expect(outcome.census.distinct.size).toBeGreaterThan(50_000);
    expect(outcome.census.stories).toBeGreaterThan(2_000);
  });

  it('looks in the same places when it is given the same seed', () => {
    const moments = ['the first revision is awaited', 'v2 is to get 50 %', 'somebody decides to go on'];
    const small: Effort = { seed: 7, sweeps: 1, walks: 1, steps: 20, states: 20, moments };
    const [first, second] = [explore(small), explore(small)];
    expect(second.census.transitions).toBe(first.census.transitions);
    expect([...second.census.distinct]).toEqual([...first.census.distinct]);
  });
});
