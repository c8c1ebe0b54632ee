import type { KubernetesObject, ObjectReference, ObjectVersion } from '../api/object.ts';
import type { PlannedEvent } from '../plan/action.ts';
import type { CachedKind, KnownKind } from './kinds.ts';

/** The whole of what this program does to a Kubernetes cluster and asks of it. */
export interface Cluster {
  /** One object as last heard of; no request is made. */
  cached(kind: CachedKind, namespace: string, name: string): KubernetesObject | undefined;
  /** The objects of a kind that belong to one owner (see `groupKey`), as last heard of. */
  cachedGroup(kind: CachedKind, group: string): readonly KubernetesObject[];
  cachedAll(kind: CachedKind): readonly KubernetesObject[];

  /** Asks the API server; undefined when there is no such object or no such kind. */
  read(kind: KnownKind, namespace: string | undefined, name: string): Promise<KubernetesObject | undefined>;
  /** Asks the API server; in all namespaces when none is given. */
  list(
    kind: KnownKind,
    namespace: string | undefined,
    labelSelector: string,
  ): Promise<readonly KubernetesObject[]>;
  /** Whether the API server serves a group and version, such as `networking.istio.io/v1`, at this moment. */
  serves(groupVersion: string): Promise<boolean>;

  /**
   * Server-side apply as our field manager: the object holds exactly the fields that are ours. A conflict unless the
   * object is at the expected version, or, without one, is not there at all.
   */
  apply(object: KubernetesObject, expected?: ObjectVersion): Promise<void>;
  /** Removes an object, its dependents in the background; a conflict unless it is at the version that is named. */
  remove(reference: ObjectReference): Promise<void>;
  /** Replaces the status; a conflict when the object is not the one that was read. */
  patchStatus(object: KubernetesObject, status: object): Promise<void>;
  recordEvent(regarding: KubernetesObject, event: PlannedEvent): Promise<void>;
}

/** Name of the group of objects that carry one owner's name in a label. */
export function groupKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}
