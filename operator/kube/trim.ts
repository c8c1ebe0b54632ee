import type { KubernetesObject } from '../api/object.ts';
import type { ResourceType } from '../controller/resource-type.ts';

interface Fields {
  readonly [field: string]: unknown;
}

/** What `kubectl apply` writes for itself: a second copy of the whole object. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * Reduces an object to what passes read, before it enters a cache: managed fields are up to two thirds of an object,
 * and of a pod little more than its state decides.
 */
export function trim(type: ResourceType, raw: unknown): KubernetesObject {
  const { metadata, ...rest } = raw as Fields & { readonly metadata: Fields };
  const object = {
    ...rest,
    // Items of a list do not name their own kind.
    apiVersion: type.apiVersion,
    kind: type.kind,
    metadata: trimMetadata(metadata),
  } as unknown as KubernetesObject;
  return type.kind === 'Pod' ? trimPod(object) : object;
}

function trimMetadata(metadata: Fields): Fields {
  const rest = without(metadata, 'managedFields');
  const annotations = rest['annotations'] as Fields | undefined;
  return annotations === undefined ? rest : { ...rest, annotations: without(annotations, LAST_APPLIED) };
}

function trimPod(pod: KubernetesObject): KubernetesObject {
  const { name, namespace, uid, resourceVersion, labels, deletionTimestamp } = pod.metadata;
  const status = (pod as unknown as { readonly status?: Fields }).status ?? {};
  const kept = {
    apiVersion: pod.apiVersion,
    kind: pod.kind,
    metadata: withoutUndefined({ name, namespace, uid, resourceVersion, labels, deletionTimestamp }),
    status: withoutUndefined({
      phase: status['phase'],
      podIP: status['podIP'],
      conditions: status['conditions'],
      containerStatuses: status['containerStatuses'],
    }),
  };
  return kept as unknown as KubernetesObject;
}

function withoutUndefined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function without(fields: Fields, name: string): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([field]) => field !== name));
}
