import type { KubernetesObject, ObjectReference } from '../api/object.ts';

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

/** Something that has happened, in the words of a person. */
export interface PlannedEvent {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, listed in docs/reasons.md. */
  readonly reason: string;
  readonly message: string;
}
