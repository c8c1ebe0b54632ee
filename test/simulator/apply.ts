import type { KubernetesObject } from '../../operator/api/object.ts';
import { EDITED_BY_HAND } from './world.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Which fields of a version the operator owns: those of its last apply, as managedFields would tell. */
const owned = new WeakMap<object, KubernetesObject>();

/** Somebody has written the next version: what the operator owns stays as it was. */
export function inheritOwnership(before: object | undefined, after: object): void {
  const fields = before && owned.get(before);
  if (fields !== undefined) owned.set(after, fields);
}

export function takeOwnership(version: object | undefined, fields: KubernetesObject): void {
  if (version !== undefined) owned.set(version, fields);
}

/**
 * Server-side apply: what is wanted is set, what was owned and is wanted no more goes, and what others have set beside
 * it stays. A Deployment that loses its replicas falls back to one.
 */
export function applyOver<Live extends KubernetesObject & { readonly spec?: unknown }>(
  before: Live,
  wanted: KubernetesObject,
): Live {
  const areListsKeyed = !wanted.apiVersion.startsWith('networking.istio.io/');
  const merged = mergeFields(fieldsOf(withoutHandMark(before)), fieldsOf(owned.get(before) ?? {}), {
    wanted: fieldsOf(wanted),
    areListsKeyed,
  }) as unknown as Live;
  const spec =
    wanted.kind === 'Deployment' ? { replicas: 1, ...(merged.spec as Fields | undefined) } : merged.spec;
  const { generation = 1 } = before.metadata;
  const isSame = JSON.stringify(before.spec) === JSON.stringify(spec);
  return {
    ...merged,
    ...(spec !== undefined && { spec }),
    metadata: { ...merged.metadata, generation: isSame ? generation : generation + 1 },
  };
}

/** What tells the invariants of a hand edit ends with the next apply. */
function withoutHandMark<Live extends KubernetesObject>(live: Live): Live {
  const { [EDITED_BY_HAND]: _mark, ...annotations } = live.metadata.annotations ?? {};
  return { ...live, metadata: { ...live.metadata, annotations } };
}

interface Wish {
  readonly wanted: Fields;
  /** Whether elements with names are merged one by one; Istio's lists are replaced whole. */
  readonly areListsKeyed: boolean;
}

function mergeFields(live: Fields, before: Fields, { wanted, areListsKeyed }: Wish): Fields {
  const kept = Object.entries(live)
    .filter(([name]) => !(name in wanted))
    .map(([name, value]): [string, unknown] => [name, rest(value, before[name], areListsKeyed)])
    .filter(([, value]) => value !== undefined);
  const set = Object.entries(wanted).map(([name, value]): [string, unknown] => [
    name,
    merge(live[name], before[name], { wanted: value, areListsKeyed }),
  ]);
  return Object.fromEntries([...kept, ...set]);
}

/** What stays of a field that is not wanted: all of it where it was never ours, else what others have put into it. */
function rest(live: unknown, mine: unknown, areListsKeyed: boolean): unknown {
  if (mine === undefined) return live;
  if (!isFields(live) || !isFields(mine)) return undefined;
  const left = mergeFields(live, mine, { wanted: {}, areListsKeyed });
  return Object.keys(left).length === 0 ? undefined : left;
}

function merge(
  live: unknown,
  mine: unknown,
  { wanted, areListsKeyed }: { readonly wanted: unknown; readonly areListsKeyed: boolean },
): unknown {
  if (areListsKeyed && isNamedList(live) && isNamedList(wanted)) return mergeLists(live, mine, wanted);
  if (!isFields(live) || !isFields(wanted)) return wanted;
  return mergeFields(live, isFields(mine) ? mine : {}, { wanted, areListsKeyed });
}

interface Named {
  readonly name: string;
}

function mergeLists(live: readonly Named[], mine: unknown, wanted: readonly Named[]): readonly unknown[] {
  const ours = isNamedList(mine) ? mine : [];
  const at = (list: readonly Named[], name: string): Named | undefined =>
    list.find((element) => element.name === name);
  const others = live.filter(({ name }) => at(wanted, name) === undefined && at(ours, name) === undefined);
  const merged = wanted.map((element) =>
    merge(at(live, element.name), at(ours, element.name), { wanted: element, areListsKeyed: true }),
  );
  return [...merged, ...others];
}

function fieldsOf(object: object): Fields {
  return { ...object };
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNamedList(value: unknown): value is readonly Named[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((element) => isFields(element) && 'name' in element)
  );
}
