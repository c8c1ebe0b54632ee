import type { ModelDeployment } from '../api/model-deployment.ts';
import { labelsOf } from '../api/names.ts';
import type { KubernetesObject } from '../api/object.ts';
import { childMetadata } from './child.ts';

export interface PodDisruptionBudget extends KubernetesObject {
  readonly spec: {
    readonly maxUnavailable: number;
    readonly unhealthyPodEvictionPolicy: 'AlwaysAllow';
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  };
}

/** One healthy pod at a time may be evicted; a broken one always, or it would hold up the drain of its node. */
export function buildDisruptionBudget(
  modelDeployment: ModelDeployment,
  revision: string,
): PodDisruptionBudget {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: childMetadata(modelDeployment, { name: revision, revision }),
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: labelsOf(modelDeployment.metadata.name, revision) },
    },
  };
}
