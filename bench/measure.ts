export interface Measured {
  readonly answers: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Of ascending values. */
export function quantileOf(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(share * sorted.length) - 1] ?? NaN;
}

/** Of an even number of values the mean of the two in the middle: the larger of two ratios would flatter. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const upper = Math.floor(sorted.length / 2);
  const middle = sorted.slice(sorted.length % 2 === 0 ? upper - 1 : upper, upper + 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}

/** The number of rounds is small and a busy machine spoils some: the median round stands for all. */
export function medianOf(rounds: readonly Measured[]): Measured {
  return {
    answers: median(rounds.map(({ answers }) => answers)),
    perSecond: median(rounds.map(({ perSecond }) => perSecond)),
    p50Ms: median(rounds.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(rounds.map(({ p99Ms }) => p99Ms)),
  };
}

/** Repeats `once` in so many loops side by side until the time is over. */
export async function measure(
  loops: readonly (() => Promise<unknown>)[],
  durationMs: number,
): Promise<Measured> {
  const latencies: number[] = [];
  const startedAt = performance.now();
  const loop = async (once: () => Promise<unknown>): Promise<void> => {
    for (let askedAt = startedAt; askedAt - startedAt < durationMs;) {
      askedAt = performance.now();
      await once();
      latencies.push(performance.now() - askedAt);
    }
  };
  await Promise.all(loops.map(loop));
  const seconds = (performance.now() - startedAt) / 1000;
  const sorted = latencies.sort((left, right) => left - right);
  return {
    answers: latencies.length,
    perSecond: latencies.length / seconds,
    p50Ms: quantileOf(sorted, 0.5),
    p99Ms: quantileOf(sorted, 0.99),
  };
}
