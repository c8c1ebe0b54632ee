import type { ModelDeploymentStatus } from '../api/model-deployment.ts';
import type { Marks } from '../resources/controller-revision.ts';
import type { Routing } from '../traffic/routing.ts';
import type { TrafficRefusalReason } from '../traffic/traffic-refusal.ts';
import type { FailureReason } from './evidence.ts';
import type { RevisionFacts } from './facts.ts';

export type Phase = NonNullable<ModelDeploymentStatus['phase']>;
export type RolloutState = NonNullable<ModelDeploymentStatus['rollout']>;

/** Why a ModelDeployment stands where it stands while nothing has failed; each is told of in docs/reasons.md. */
export type CourseReason =
  | 'Deleting'
  | 'IstioMissing'
  | 'NameTaken'
  | 'NoReadyPods'
  | 'PausedByDecision'
  | 'PausedForATime'
  | 'PausedUntilDecision'
  | 'Promoted'
  | 'Promoting'
  | 'Recreating'
  | 'RoutingUnproven'
  | 'StepCompleted'
  | 'StrategyUnsupported'
  | 'WaitingForPods'
  | 'WriteRefused';

/** Why a revision was given up by a person; each is told of in docs/reasons.md. */
export type DecidedReason = 'AbortedByDecision' | 'RolledBack';

/** What a pass has decided, before it is turned into writes. */
export interface Course {
  readonly phase: Phase;
  readonly reason: CourseReason | FailureReason | DecidedReason | TrafficRefusalReason;
  /** What is happening, why it waits and what would move it: one plain sentence without times or counters that tick. */
  readonly message: string;
  /** Where traffic should go; undefined while nobody can be served. */
  readonly routing: Routing | undefined;
  /** The share of the traffic, of FULL_WEIGHT, that each revision must have pods for; who is absent is not kept. */
  readonly shares: ReadonlyMap<string, number>;
  /** While traffic moves nobody who gives it shrinks (I7). */
  readonly holdScaleDown: boolean;
  /** Nobody gets more traffic than they have, whatever `routing` says. */
  readonly isHeld?: boolean;
  /** A revision whose pods end although it is kept and routes name it, to make room: Recreate alone. */
  readonly ending?: RevisionFacts | undefined;
  readonly rollout?: RolloutState;
  /** A promotion or an abort, recorded on the ControllerRevision before anything follows from it (I10). */
  readonly mark?: { readonly revision: RevisionFacts; readonly marks: Marks };
  /** When to look again although nothing changes; undefined when only a change can matter. */
  readonly nextLookMs?: number | undefined;
}
