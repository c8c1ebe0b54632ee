import type { TSchema } from 'typebox';
import type { Routing } from '../traffic/routing.ts';

/** What a strategy wants the world to be at one step, before anybody waits. */
export interface Demand {
  readonly routing: Routing;
  /** The share of the stable's capacity, of FULL_WEIGHT, that the candidate must have ready first (I7). */
  readonly candidateShare: number;
}

/** Why a realised step is not over yet. */
export type Wait = { readonly kind: 'Until'; readonly timeMs: number } | { readonly kind: 'Decision' };

export interface Position {
  readonly stable: string;
  readonly candidate: string;
  /** 0-based; equal to the number of steps once all are over. */
  readonly stepIndex: number;
  /** The weight at which this run of the steps began; never gone below while it lasts. */
  readonly floorWeight: number;
}

/**
 * One way from the stable to the candidate. A strategy decides about steps only: proof, capacity, failures and
 * promotion are the plan's, the same for all of them.
 */
export interface Strategy<Configuration> {
  /** The fragment of `spec.rollout` that bears the strategy's name. */
  readonly schema: TSchema;
  stepCount(configuration: Configuration): number;
  /** Where to begin when the candidate already has this weight: at 0 for a new rollout, further on after an edit. */
  firstStep(configuration: Configuration, currentWeight: number): number;
  demand(configuration: Configuration, position: Position): Demand;
  /** Undefined when the step is over as soon as it is realised. */
  wait(configuration: Configuration, stepIndex: number, enteredAtMs: number): Wait | undefined;
}
