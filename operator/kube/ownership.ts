import { labels } from '../api/names.ts';
import type { KubernetesObject } from '../api/object.ts';

/** Somebody else's object has the name that one of ours needs. It is never taken over (I5). */
export class NameTakenError extends Error {
  override readonly name = 'NameTakenError';
  readonly object: KubernetesObject;

  constructor(object: KubernetesObject) {
    super(`${object.kind} ${object.metadata.name} exists already and is not of this ModelDeployment`);
    this.object = object;
  }
}

/** Whether an object bears the label by which its ModelDeployment's children are told from all others. */
export function isLabelledLike(live: KubernetesObject, ours: KubernetesObject): boolean {
  const label = labels.modelDeployment;
  return live.metadata.labels?.[label] === ours.metadata.labels?.[label];
}

/** Whether it belongs to the very same ModelDeployment, whatever became of its labels. */
export function isOwnedLike(live: KubernetesObject, ours: KubernetesObject): boolean {
  const owners = new Set(ours.metadata.ownerReferences?.map(({ uid }) => uid));
  return live.metadata.ownerReferences?.some(({ uid }) => owners.has(uid)) ?? false;
}
