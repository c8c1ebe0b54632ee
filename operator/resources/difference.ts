import { canonicalJson, shortHash } from '../api/canonical.ts';
import { annotations } from '../api/names.ts';
import type { KubernetesObject } from '../api/object.ts';
import { sameQuantity } from './quantity.ts';

/**
 * Whether an object has to be written. Two questions, because neither answer is enough: the hash of what was applied
 * last notices fields that we no longer want; the comparison notices fields that somebody else has changed or removed.
 *
 * A wrong "yes" is a write on every pass for ever, which keeps istiod busy and delays every route of the mesh. So
 * "yes" is only said to what an apply would mend: what the API server adds or spells differently is no difference, nor
 * is what others own beside our fields (I5, I16).
 */
export function needsApply(live: KubernetesObject | undefined, desired: KubernetesObject): boolean {
  if (live === undefined || appliedHash(live) !== hashOf(desired)) return true;
  const { metadata, ...content } = desired;
  const { labels, annotations: notes, ownerReferences } = metadata;
  const comparison: Comparison = { exactLists: isIstio(desired) };
  return !(
    covers(live, content, comparison) &&
    covers(live.metadata, { labels, annotations: notes, ownerReferences }, comparison)
  );
}

/** The object as it is to be applied: with the hash that tells the next pass what was applied. */
export function withAppliedHash<Kind extends KubernetesObject>(desired: Kind): Kind {
  const { metadata } = desired;
  return {
    ...desired,
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, [annotations.applied]: hashOf(desired) },
    },
  };
}

/** The hash of what was applied last; undefined on an object that we never applied. */
export function appliedHash({ metadata }: KubernetesObject): string | undefined {
  return metadata.annotations?.[annotations.applied];
}

function hashOf(desired: KubernetesObject): string {
  const { metadata } = desired;
  const others = Object.entries(metadata.annotations ?? {}).filter(([key]) => key !== annotations.applied);
  return shortHash({ ...desired, metadata: { ...metadata, annotations: Object.fromEntries(others) } });
}

interface Comparison {
  /** Lists without keys and without defaults inside: an apply replaces them whole, so any difference counts. */
  readonly exactLists: boolean;
  /** The field that holds the value that is compared. */
  readonly field?: string;
  /** The field that holds that field. */
  readonly parent?: string;
}

function isIstio({ apiVersion }: KubernetesObject): boolean {
  return apiVersion.startsWith('networking.istio.io/');
}

/** Maps that an apply replaces whole (`mapType=atomic`), and that no server default adds to. */
const wholeMaps: ReadonlySet<string> = new Set(['selector', 'labelSelector', 'nodeSelector']);

/** Lists whose elements the API server tells apart by these fields (`listType=map`), whatever their order. */
const listKeys: ReadonlyMap<string, readonly string[]> = new Map([
  ['containers', ['name']],
  ['env', ['name']],
  ['imagePullSecrets', ['name']],
  ['ownerReferences', ['uid']],
  ['ports', ['containerPort', 'port', 'protocol']],
  ['topologySpreadConstraints', ['topologyKey', 'whenUnsatisfiable']],
  ['volumeMounts', ['mountPath']],
  ['volumes', ['name']],
]);

/** Whether everything desired is in `live`, where the API server may have added defaults and changed spellings. */
function covers(live: unknown, desired: unknown, comparison: Comparison): boolean {
  if (desired === undefined) return true;
  // The API server leaves out most of what is empty.
  if (live === undefined || live === null) return isEmpty(desired, comparison.field);
  if (Array.isArray(desired)) return Array.isArray(live) && coversList(live, desired, comparison);
  if (isRecord(desired)) return isRecord(live) && coversMap(live, desired, comparison);
  return sameScalar(live, desired, comparison);
}

function coversMap(
  live: Readonly<Record<string, unknown>>,
  desired: Readonly<Record<string, unknown>>,
  { exactLists, field }: Comparison,
): boolean {
  if (field !== undefined && wholeMaps.has(field)) return canonicalJson(live) === canonicalJson(desired);
  return Object.entries(desired).every(([name, value]) =>
    covers(live[name], value, { exactLists, field: name, ...(field !== undefined && { parent: field }) }),
  );
}

function coversList(live: readonly unknown[], desired: readonly unknown[], comparison: Comparison): boolean {
  if (comparison.exactLists) return canonicalJson(live) === canonicalJson(desired);
  const keys = listKeys.get(comparison.field ?? '');
  const element: Comparison = { exactLists: false };
  if (keys === undefined) {
    return (
      live.length === desired.length && desired.every((value, index) => covers(live[index], value, element))
    );
  }
  return desired.every((value) => {
    const same = live.find((candidate) => sameKeys(candidate, value, keys));
    return same !== undefined && covers(same, value, element);
  });
}

function sameKeys(left: unknown, right: unknown, keys: readonly string[]): boolean {
  return (
    isRecord(left) &&
    isRecord(right) &&
    keys.every((key) => right[key] === undefined || left[key] === right[key])
  );
}

function sameScalar(live: unknown, desired: unknown, { field, parent }: Comparison): boolean {
  // Fields such as targetPort hold a number or its text.
  const [liveText, desiredText] = [scalarText(live), scalarText(desired)];
  if (liveText === undefined || desiredText === undefined) return live === desired;
  return liveText === desiredText || (isQuantity(field, parent) && sameQuantity(liveText, desiredText));
}

function scalarText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;
}

function isQuantity(field: string | undefined, parent: string | undefined): boolean {
  return parent === 'requests' || parent === 'limits' || field === 'sizeLimit' || field === 'averageValue';
}

/** Fields in which nothing at all means something else than `false` or 0; the API server keeps both. */
const meaningfulWhenEmpty: ReadonlySet<string> = new Set([
  'allowPrivilegeEscalation',
  'automountServiceAccountToken',
  'blockOwnerDeletion',
  'enableServiceLinks',
  'maxUnavailable',
]);

function isEmpty(value: unknown, field = ''): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isRecord(value)) return Object.values(value).every((member) => member === undefined);
  return (
    (value === null || value === '' || value === 0 || value === false) && !meaningfulWhenEmpty.has(field)
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
