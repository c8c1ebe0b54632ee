import type { PodShape } from '../api/model-deployment.ts';

type Gpu = NonNullable<NonNullable<PodShape['resources']>['gpu']>;
type Affinity = Readonly<Record<string, unknown>>;

interface NodeSelectorTerm {
  readonly matchExpressions?: readonly unknown[];
}

const GPU_RESOURCE = 'nvidia.com/gpu';
const PRODUCT_LABEL = 'nvidia.com/gpu.product';

/** Whole GPUs, or slices of the profile that is asked for; both are extended resources, which only limits need. */
export function gpuLimits(gpu: Gpu | undefined): Record<string, string> {
  if (gpu === undefined) return {};
  const resource = gpu.mig === undefined ? GPU_RESOURCE : `nvidia.com/mig-${gpu.mig}`;
  return { [resource]: String(gpu.count) };
}

/** Nodes with GPUs are commonly tainted to keep other pods off. */
export function gpuTolerations(gpu: Gpu | undefined): readonly Record<string, string>[] {
  return gpu === undefined ? [] : [{ key: GPU_RESOURCE, operator: 'Exists', effect: 'NoSchedule' }];
}

/**
 * The user's affinity, narrowed to nodes with the GPU product. Terms are alternatives, so the product goes into each
 * of them; a further term would be one more way around it.
 */
export function withGpuAffinity(affinity: Affinity | undefined, gpu: Gpu | undefined): Affinity | undefined {
  if (gpu?.product === undefined) return affinity;
  const expression = { key: PRODUCT_LABEL, operator: 'In', values: [gpu.product] };
  const node = (affinity?.['nodeAffinity'] ?? {}) as Record<string, unknown>;
  const required = (node['requiredDuringSchedulingIgnoredDuringExecution'] ?? {}) as {
    readonly nodeSelectorTerms?: readonly NodeSelectorTerm[];
  };
  const terms = required.nodeSelectorTerms?.length ? required.nodeSelectorTerms : [{}];
  return {
    ...affinity,
    nodeAffinity: {
      ...node,
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: terms.map((term: NodeSelectorTerm) => ({
          ...term,
          matchExpressions: [...(term.matchExpressions ?? []), expression],
        })),
      },
    },
  };
}
