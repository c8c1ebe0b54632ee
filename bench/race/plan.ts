/** How long and how often everything is measured. */
export interface RacePlan {
  readonly rounds: number;
  readonly roundMs: number;
  /** Once for each server and protocol: compilers at run time need some thousand requests. */
  readonly firstWarmUpMs: number;
  /** Before each round. */
  readonly warmUpMs: number;
  readonly concurrencies: readonly number[];
  /** Multiples of a server's own capacity that it is offered. */
  readonly overloads: readonly number[];
  readonly openLoopMs: number;
  readonly openRounds: number;
}

export const plans = {
  /** Some minutes: which way it goes. */
  quick: {
    ...{ rounds: 2, roundMs: 500, firstWarmUpMs: 1000, warmUpMs: 150, concurrencies: [1, 32] },
    ...{ overloads: [3], openLoopMs: 1000, openRounds: 1 },
  },
  /** About an hour: what is kept. */
  full: {
    ...{ rounds: 5, roundMs: 1200, firstWarmUpMs: 4000, warmUpMs: 300, concurrencies: [1, 8, 32] },
    ...{ overloads: [1, 2, 3], openLoopMs: 3000, openRounds: 3 },
  },
} as const satisfies Readonly<Record<string, RacePlan>>;

/** Longer than any of the models takes by far, and about as long as a person waits without noticing. */
export const DEADLINE_MS = 250;
