import type { KubernetesObject, ObjectReference } from '../api/object.ts';
import type { Course } from './course.ts';

/** One write. A plan is a list of them, executed in order, stopping at the first failure. */
export type Action =
  /**
   * Server-side apply with our field manager. With `expectedResourceVersion` the write is refused when somebody
   * wrote in between.
   */
  | { readonly kind: 'Apply'; readonly object: KubernetesObject; readonly expectedResourceVersion?: string }
  /** Removes this very object (by uid), its dependents in the background. */
  | { readonly kind: 'Delete'; readonly reference: ObjectReference }
  | { readonly kind: 'RecordEvent'; readonly event: PlannedEvent };

/** What events tell of; each is explained in docs/reasons.md. */
export type EventReason = 'Healthy' | 'RolloutStarted' | Course['reason'];

/** Something that has happened, in the words of a person. */
export interface PlannedEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: EventReason;
  readonly message: string;
}
