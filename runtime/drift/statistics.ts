/** How unlike two histograms over the same bins are. Pure, and the counts need not be of equal totals. */

export type Counts = ArrayLike<number>;

export interface KolmogorovSmirnov {
  /** The largest distance between the two distribution functions, 0 to 1. */
  readonly statistic: number;
  /** How likely a distance of at least this is when both are samples of one distribution. */
  readonly pValue: number;
}

const TERMS = 100;
const NEGLIGIBLE = 1e-12;
/** PSI is undefined for an empty bin; a share of one in ten thousand stands for it, as is usual. */
const SMALLEST_SHARE = 1e-4;
const PSI_GROUPS = 10;

export function totalOf(counts: Counts): number {
  let total = 0;
  for (let index = 0; index < counts.length; index++) total += counts[index] as number;
  return total;
}

/**
 * Q(λ) = 2 Σ (−1)^(k−1) e^(−2k²λ²), the limit of the distribution of √n·D.
 * A. Kolmogorov, Sulla determinazione empirica di una legge di distribuzione (1933).
 */
export function kolmogorovSurvival(lambda: number): number {
  // Below this the sum converges too slowly, and the answer is 1 to twelve digits.
  if (lambda < 0.18) return 1;
  let sum = 0;
  for (let k = 1; k <= TERMS; k++) {
    const term = Math.exp(-2 * k * k * lambda * lambda);
    sum += k % 2 === 1 ? term : -term;
    if (term < NEGLIGIBLE) break;
  }
  return Math.min(1, Math.max(0, 2 * sum));
}

/**
 * The two-sample test on binned values: the statistic of the samples themselves is larger by at most the mass of a bin.
 * The p-value is the asymptotic one. Undefined while one of them is empty.
 */
export function kolmogorovSmirnov(left: Counts, right: Counts): KolmogorovSmirnov | undefined {
  const leftTotal = totalOf(left);
  const rightTotal = totalOf(right);
  if (leftTotal === 0 || rightTotal === 0) return undefined;
  let statistic = 0;
  let leftPassed = 0;
  let rightPassed = 0;
  for (let index = 0; index < left.length; index++) {
    leftPassed += left[index] as number;
    rightPassed += right[index] as number;
    statistic = Math.max(statistic, Math.abs(leftPassed / leftTotal - rightPassed / rightTotal));
  }
  const effective = (leftTotal * rightTotal) / (leftTotal + rightTotal);
  return { statistic, pValue: kolmogorovSurvival(Math.sqrt(effective) * statistic) };
}

function indexOfShares(expectedShare: number, actualShare: number): number {
  const expected = Math.max(SMALLEST_SHARE, expectedShare);
  const actual = Math.max(SMALLEST_SHARE, actualShare);
  return (actual - expected) * Math.log(actual / expected);
}

/** Σ (a − e) ln(a / e) over the shares of each bin. Usual reading: below 0.1 alike, above 0.25 another distribution. */
export function populationStabilityIndex(expected: Counts, actual: Counts): number | undefined {
  const expectedTotal = totalOf(expected);
  const actualTotal = totalOf(actual);
  if (expectedTotal === 0 || actualTotal === 0) return undefined;
  let index = 0;
  for (let bin = 0; bin < expected.length; bin++) {
    index += indexOfShares((expected[bin] as number) / expectedTotal, (actual[bin] as number) / actualTotal);
  }
  return index;
}

/**
 * Neighbouring bins put together until each group holds a tenth of the expected values: with many small bins, PSI would
 * measure chance. The last group takes what is left.
 */
export function groupForPsi(expected: Counts, actual: Counts): { expected: number[]; actual: number[] } {
  const target = totalOf(expected) / PSI_GROUPS;
  const groups = { expected: [] as number[], actual: [] as number[] };
  let expectedSum = 0;
  let actualSum = 0;
  for (let bin = 0; bin < expected.length; bin++) {
    expectedSum += expected[bin] as number;
    actualSum += actual[bin] as number;
    const isFull = expectedSum >= target * (1 - NEGLIGIBLE) && expectedSum > 0;
    if (!isFull && bin < expected.length - 1) continue;
    groups.expected.push(expectedSum);
    groups.actual.push(actualSum);
    expectedSum = 0;
    actualSum = 0;
  }
  return groups;
}
