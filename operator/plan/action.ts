import type { KubernetesObject, ObjectReference, ObjectVersion } from '../api/object.ts';
import type { Course } from './course.ts';

/**
 * One write. A plan is a list of them, executed in order, stopping at the first failure. Each is refused as a conflict
 * unless it finds the object as this pass has seen it: nobody else's write is ever overwritten unseen (I9).
 */
export type Action =
  /** Server-side apply with our field manager, over the expected version; without one there must be no such object. */
  | { readonly kind: 'Apply'; readonly object: KubernetesObject; readonly expected?: ObjectVersion }
  /** Removes this very version of the object, its dependents in the background. */
  | { readonly kind: 'Delete'; readonly reference: ObjectReference }
  | { readonly kind: 'RecordEvent'; readonly event: PlannedEvent };

/** What events tell of; each is explained in docs/reasons.md. */
export type EventReason =
  | 'Healthy'
  | 'RolloutStarted'
  | 'Superseded'
  | 'DecisionApplied'
  | 'DecisionExpired'
  | 'DecisionRefused'
  | Course['reason'];

/** Something that has happened, in the words of a person. */
export interface PlannedEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason;
  readonly message: string;
}
