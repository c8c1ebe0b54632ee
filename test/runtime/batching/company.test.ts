import { expect, it } from 'vitest';
import { Company } from '../../../runtime/batching/company.ts';

/** Bursts of so many requests, half a millisecond apart, each burst after all of the one before was answered. */
function afterBursts(size: number): Company {
  const company = new Company();
  for (let burst = 0; burst < 50; burst++) {
    for (let unanswered = 0; unanswered < size; unanswered++) {
      company.recordArrival(unanswered, burst * 10 + unanswered / 2);
    }
  }
  return company;
}

it('is not expected by a client that asks again only after its answer', () => {
  expect(afterBursts(1).expectedGapMs).toBeUndefined();
});

it('is expected as soon as it most often comes', () => {
  expect(afterBursts(8).expectedGapMs).toBeCloseTo(0.5);
});
