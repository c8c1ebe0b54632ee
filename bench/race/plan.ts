/** How long and how often everything is measured. */
export interface RacePlan {
  readonly rounds: number;
  readonly roundMs: number;
  /** Once for each server and protocol: compilers at run time need some thousand requests. */
  readonly firstWarmUpMs: number;
  /** Before each round: what was stopped for a while has lost its caches, and on some machines its code's pages too. */
  readonly warmUpMs: number;
  readonly concurrencies: readonly number[];
  /** Multiples of a server's own capacity that it is offered. */
  readonly overloads: readonly number[];
  readonly openLoopMs: number;
  readonly openRounds: number;
  /** Open loops last at least until so many requests were due: of fewer, a 99th percentile is the slowest or nothing. */
  readonly fewestRequests: number;
}

export const plans = {
  /** A quarter of an hour: which way it goes. */
  quick: {
    ...{ rounds: 2, roundMs: 800, firstWarmUpMs: 4000, warmUpMs: 400, concurrencies: [1, 32] },
    ...{ overloads: [3], openLoopMs: 1500, openRounds: 1, fewestRequests: 100 },
  },
  /** More than an hour: what is to be kept. */
  full: {
    ...{ rounds: 5, roundMs: 1200, firstWarmUpMs: 8000, warmUpMs: 500, concurrencies: [1, 8, 32] },
    ...{ overloads: [1, 2, 3], openLoopMs: 3000, openRounds: 3, fewestRequests: 400 },
  },
} as const satisfies Readonly<Record<string, RacePlan>>;

/** Longer than any of the models takes by far, and about as long as a person waits without noticing. */
export const DEADLINE_MS = 250;
