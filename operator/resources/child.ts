import { API_VERSION, KIND, labelsOf } from '../api/names.ts';
import type { ModelDeployment } from '../api/model-deployment.ts';
import type { ObjectMeta } from '../api/object.ts';

interface Child {
  readonly name: string;
  /** Left out for children that serve all revisions. */
  readonly revision?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * The metadata of everything that a ModelDeployment makes. The owner reference lets Kubernetes collect it after the
 * owner; it never blocks the owner's deletion, so that no missing permission or controller wedges it (I14).
 */
export function childMetadata(owner: ModelDeployment, { name, revision, annotations }: Child): ObjectMeta {
  return {
    name,
    namespace: owner.metadata.namespace,
    labels: labelsOf(owner.metadata.name, revision),
    ...(annotations !== undefined && { annotations }),
    ownerReferences: [
      {
        apiVersion: API_VERSION,
        kind: KIND,
        name: owner.metadata.name,
        uid: owner.metadata.uid,
        controller: true,
        blockOwnerDeletion: false,
      },
    ],
  };
}
