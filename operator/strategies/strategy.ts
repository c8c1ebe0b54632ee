import type { Routing } from '../traffic/routing.ts';

/** What a strategy wants the world to be at one step, before anybody waits. */
export interface Demand {
  readonly routing: Routing;
  /** The share of the stable's capacity, of FULL_WEIGHT, that the candidate must have ready first (I7). */
  readonly candidateShare: number;
  /** The stable's pods end before the candidate's begin, and nobody is served in between: Recreate alone. */
  readonly endsStableFirst?: boolean;
}

/** Why a realised step is not over yet. */
export type Wait = { readonly kind: 'Until'; readonly timeMs: number } | { readonly kind: 'Decision' };

export interface Position {
  readonly stable: string;
  readonly candidate: string;
  /** 0-based; equal to the number of steps once all are over. */
  readonly stepIndex: number;
  /** The weight at which this run of the steps began. */
  readonly floorWeight: number;
  /** Whether the traffic can be divided at all; where it cannot, everything moves at once. */
  readonly canSplit: boolean;
}

/** How the candidate stands when its steps begin: of a new rollout, or anew after an edit of them. */
export interface Arrival {
  readonly weight: number;
  /** It was the stable just before, and its pods were kept for this way back. */
  readonly isWarm: boolean;
}

/**
 * One way from the stable to the candidate. A strategy decides about steps only: proof, capacity, failures and
 * promotion are the plan's, the same for all of them.
 */
export interface Strategy<Configuration> {
  stepCount(configuration: Configuration): number;
  firstStep(configuration: Configuration, arrival: Arrival): number;
  demand(configuration: Configuration, position: Position): Demand;
  /** Undefined when the step is over as soon as it is realised. */
  wait(configuration: Configuration, stepIndex: number, enteredAtMs: number): Wait | undefined;
  /** How long after its promotion the stable before it is kept as it was; left out: it goes at once. */
  keepOldMs?(configuration: Configuration): number;
}

/** A strategy together with its configuration in one spec. */
export interface BoundStrategy {
  /** As the spec has it, for nobody but the hash that notices edits. */
  readonly configuration: unknown;
  readonly stepCount: number;
  readonly keepOldMs: number;
  readonly firstStep: (arrival: Arrival) => number;
  readonly demand: (position: Position) => Demand;
  readonly wait: (stepIndex: number, enteredAtMs: number) => Wait | undefined;
}
