import { labels } from '../api/names.ts';
import type { KubernetesObject } from '../api/object.ts';
import type { RolloutDecision } from '../api/rollout-decision.ts';
import { Caches, type CacheDeclaration, type CachesOptions } from '../controller/caches.ts';
import { groupKey } from './cluster.ts';
import { cachedKinds, cachedTypes, type CachedKind } from './kinds.ts';
import { trim } from './trim.ts';

/** Every kind that passes read from memory, grouped by the ModelDeployment to which its objects belong. */
export function createCaches(options: Omit<CachesOptions<CachedKind>, 'declarations'>): Caches<CachedKind> {
  const declarations = Object.fromEntries(cachedKinds.map((kind) => [kind, declare(kind)]));
  return new Caches({ ...options, declarations: declarations as Record<CachedKind, CacheDeclaration> });
}

/** What people write is looked at whatever its labels are; what we make says in a label to whom it belongs. */
function declare(kind: CachedKind): CacheDeclaration {
  const selection = isWrittenByPeople(kind) ? {} : { labelSelector: labels.modelDeployment };
  return { type: cachedTypes[kind], ...selection, trim, groupOf: (object) => groupOf(kind, object) };
}

function isWrittenByPeople(kind: CachedKind): boolean {
  return kind === 'ModelDeployment' || kind === 'RolloutDecision';
}

/** The key of the ModelDeployment that an object is, belongs to or is about. */
export function groupOf(kind: CachedKind, object: KubernetesObject): string | undefined {
  const name = ownerOf(kind, object);
  return name === undefined ? undefined : groupKey(object.metadata.namespace ?? '', name);
}

function ownerOf(kind: CachedKind, object: KubernetesObject): string | undefined {
  if (kind === 'ModelDeployment') return object.metadata.name;
  if (kind === 'RolloutDecision') return (object as RolloutDecision).spec.modelDeployment;
  return object.metadata.labels?.[labels.modelDeployment];
}
