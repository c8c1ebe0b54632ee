import { labels } from '../api/names.ts';
import type { KubernetesObject } from '../api/object.ts';
import { Caches, type CacheDeclaration, type CachesOptions } from '../controller/caches.ts';
import { groupKey } from './cluster.ts';
import { cachedKinds, cachedTypes, type CachedKind } from './kinds.ts';
import { trim } from './trim.ts';

/** Every kind that passes read from memory, grouped by the ModelDeployment to which its objects belong. */
export function createCaches(options: Omit<CachesOptions<CachedKind>, 'declarations'>): Caches<CachedKind> {
  const declarations = Object.fromEntries(cachedKinds.map((kind) => [kind, declare(kind)]));
  return new Caches({ ...options, declarations: declarations as Record<CachedKind, CacheDeclaration> });
}

/** Only a ModelDeployment is looked at whatever its labels are; what belongs to one says so in a label. */
function declare(kind: CachedKind): CacheDeclaration {
  const selection = kind === 'ModelDeployment' ? {} : { labelSelector: labels.modelDeployment };
  return { type: cachedTypes[kind], ...selection, trim, groupOf: groupOfOwner };
}

function groupOfOwner({ metadata }: KubernetesObject): string | undefined {
  const owner = metadata.labels?.[labels.modelDeployment];
  return owner === undefined ? undefined : groupKey(metadata.namespace ?? '', owner);
}
