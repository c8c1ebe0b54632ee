import { annotations, API_VERSION, KIND, labels } from '../../operator/api/names.ts';
import type { ModelDeployment } from '../../operator/api/model-deployment.ts';
import type { KubernetesObject, ObjectReference, ObjectVersion } from '../../operator/api/object.ts';
import type { Action } from '../../operator/plan/action.ts';
import { applyOver, inheritOwnership, takeOwnership } from './apply.ts';
import { keyOf, live, NAME, NAMESPACE, withMapEntry, type Entry, type Ledger, type World } from './world.ts';

/** How the API server answered one write. */
export type Answer =
  | { readonly kind: 'Done'; readonly world: World }
  | {
      readonly kind: 'Refused';
      readonly reason: 'Conflict' | 'NotFound' | 'Invalid' | 'NameTaken';
      readonly message: string;
    };

const OLDEST_CACHED_VERSION = 3;
/** A new process is shown a world that is so many writes old, at the most. */
const STALE_WRITES = 8;
const ISTIO_KINDS: ReadonlySet<string> = new Set(['VirtualService', 'DestinationRule']);

interface Live extends KubernetesObject {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: unknown;
  readonly data?: unknown;
}

/** One action of the operator; `hears` says whether its answer comes back to it. */
export function execute(world: World, action: Action, hears: Writer = 'Operator'): Answer {
  if (action.kind === 'RecordEvent') return { kind: 'Done', world };
  if (action.kind === 'Delete') return remove(world, action.reference, hears);
  return refusal(world, action) ?? { kind: 'Done', world: applied(world, action.object, hears) };
}

function refusal(world: World, { object, expected }: Extract<Action, { kind: 'Apply' }>): Answer | undefined {
  const key = keyOf(object);
  if (ISTIO_KINDS.has(object.kind) && !world.platform.istio) {
    return refused('NotFound', `the cluster does not serve ${object.kind}`);
  }
  const before = live(world, key);
  if (before !== undefined && expected === undefined && before.metadata.ownerReferences === undefined)
    return refused('NameTaken', `${key} is somebody else's`);
  if (!isAt(before, expected)) return refused('Conflict', `${key} is not as the pass has seen it`);
  const invalid = before && immutableFieldChanged(before, object);
  return invalid === undefined ? undefined : refused('Invalid', `${key}: ${invalid} is immutable`);
}

function isAt(before: Live | undefined, expected: ObjectVersion | undefined): boolean {
  const { uid, resourceVersion } = before?.metadata ?? {};
  return uid === expected?.uid && resourceVersion === expected?.resourceVersion;
}

function applied(world: World, wanted: KubernetesObject, hears: Writer): World {
  const before = live(world, keyOf(wanted));
  const after = before === undefined ? created(world, wanted) : applyOver(before, wanted);
  if (before !== undefined && same(before, after)) return world;
  const next = write(world, after, hears);
  takeOwnership(live(next, keyOf(wanted)), wanted);
  return next;
}

function refused(reason: Extract<Answer, { kind: 'Refused' }>['reason'], message: string): Answer {
  return { kind: 'Refused', reason, message };
}

function immutableFieldChanged(before: Live, wanted: Live): string | undefined {
  if (wanted.kind === 'ControllerRevision' && !same(before.data, wanted.data)) return 'data';
  if (wanted.kind === 'Deployment' && !same(before.spec?.['selector'], wanted.spec?.['selector'])) {
    return 'spec.selector';
  }
  return undefined;
}

function created(world: World, wanted: Live): KubernetesObject {
  const born: Live = {
    ...wanted,
    metadata: {
      ...wanted.metadata,
      namespace: NAMESPACE,
      uid: `uid-${world.lastId + 1}`,
      generation: 1,
      creationTimestamp: new Date(world.nowMs).toISOString(),
    },
  };
  // The API server's default of a Deployment without replicas.
  return wanted.kind === 'Deployment' ? { ...born, ...{ spec: { replicas: 1, ...born.spec } } } : born;
}

function remove(world: World, reference: ObjectReference, hears: Writer): Answer {
  const key = `${reference.kind}/${reference.name}`;
  const before = live(world, key);
  // Deleting what is gone is what was wanted.
  if (before === undefined) return { kind: 'Done', world };
  if (!isAt(before, reference)) return refused('Conflict', `${key} is not the version to delete`);
  return { kind: 'Done', world: writeVersion(world, key, null, hears) };
}

export function same(left: unknown, right: unknown): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}

/** Stores a new version of an object under a new resourceVersion, by whoever wrote it. */
export function write(world: World, object: KubernetesObject, writer: Writer = 'Others'): World {
  const id = world.lastId + 1;
  const stored = frozen({ ...object, metadata: { ...object.metadata, resourceVersion: String(id) } });
  inheritOwnership(live(world, keyOf(object)), stored);
  return writeVersion(world, keyOf(object), stored, writer);
}

/** Caches hold what bears our label, beside the kinds that are ours alone. */
function isWatched(object: KubernetesObject | null | undefined): boolean {
  return object?.apiVersion === API_VERSION || object?.metadata.labels?.[labels.modelDeployment] === NAME;
}

const NEVER_WRITTEN: Entry = { versions: [null], ids: [0], lag: 0 };

/** The operator's cache takes the answer to its own writes; what others write it hears of from the watch. */
export type Writer = 'Operator' | 'Others';

export function writeVersion(
  world: World,
  key: string,
  version: KubernetesObject | null,
  writer: Writer = 'Others',
): World {
  const { versions: older, ids, lag: oldLag } = world.objects.get(key) ?? NEVER_WRITTEN;
  const isHeard = writer === 'Operator' || !world.platform.cacheFrozen;
  const lag = isHeard ? 0 : Math.min(oldLag + 1, OLDEST_CACHED_VERSION);
  const kept = OLDEST_CACHED_VERSION + 1;
  const entry: Entry = {
    versions: [version, ...older].slice(0, kept),
    ids: [world.lastId + 1, ...ids].slice(0, kept),
    lag,
  };
  const brings = writer === 'Others' && entry.versions[lag] !== older[oldLag];
  const isNews = brings && isWatched(version ?? older[0]);
  return {
    ...world,
    lastId: world.lastId + 1,
    objects: withMapEntry(world.objects, key, entry),
    operator: isNews ? { ...world.operator, dirty: true } : world.operator,
    ledger: ledgerAfter(world.ledger, key, entry),
  };
}

function ledgerAfter(ledger: Ledger, key: string, { versions: [version = null, before] }: Entry): Ledger {
  return {
    ...ledger,
    virtualServiceWrites: ledger.virtualServiceWrites + (key.startsWith('VirtualService/') ? 1 : 0),
    aborted: abortedAfter(ledger.aborted, key, version),
    heard: heardAfter(ledger.heard, before, version),
  };
}

/** A revision stays aborted for as long as its ControllerRevision says so. */
function abortedAfter(
  aborted: ReadonlySet<string>,
  key: string,
  version: KubernetesObject | null,
): ReadonlySet<string> {
  const [kind, name = ''] = key.split('/');
  if (kind !== 'ControllerRevision') return aborted;
  const isAborted = version?.metadata.annotations?.[annotations.aborted] !== undefined;
  if (isAborted === aborted.has(name)) return aborted;
  return new Set(isAborted ? [...aborted, name] : [...aborted].filter((other) => other !== name));
}

/** Every decision that a status has ever answered, whatever that status has forgotten since. */
function heardAfter(
  heard: Ledger['heard'],
  before: KubernetesObject | null | undefined,
  version: KubernetesObject | null,
): Ledger['heard'] {
  if (version?.kind !== KIND) return heard;
  const { decisions } = (version as ModelDeployment).status ?? {};
  if (decisions === undefined || decisions === (before as ModelDeployment | null)?.status?.decisions)
    return heard;
  const news = decisions.filter(({ uid }) => !heard.has(uid));
  return news.length === 0
    ? heard
    : new Map([...heard, ...news.map((answer) => [answer.uid, answer] as const)]);
}

/** A plan that changes what it was given must not go unnoticed. */
function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  Object.values(value).forEach(frozen);
  return value;
}

export interface StatusPatch {
  readonly key: string;
  readonly status: unknown;
  readonly observedResourceVersion: string;
}

/** The status subresource: refused when the operator has not seen the newest version. */
export function patchStatus(
  world: World,
  { key, status, observedResourceVersion }: StatusPatch,
  hears: Writer = 'Operator',
): Answer {
  const before = live(world, key) as Live | undefined;
  if (before === undefined) return refused('NotFound', `${key} is gone`);
  if (before.metadata.resourceVersion !== observedResourceVersion) {
    return refused('Conflict', `${key} is not at resourceVersion ${observedResourceVersion}`);
  }
  if (same(before.status, status)) return { kind: 'Done', world };
  return { kind: 'Done', world: write(world, { ...before, ...{ status } }, hears) };
}

/** The operator's cache comes to the present, all of it or one object by one version. */
export function deliverAll(world: World): World {
  const behind = [...world.objects.values()].some(({ lag }) => lag > 0) || world.cachedPods !== world.pods;
  if (!behind) return world;
  return {
    ...world,
    objects: new Map(
      [...world.objects].map(([key, entry]) => [key, entry.lag === 0 ? entry : { ...entry, lag: 0 }]),
    ),
    cachedPods: world.pods,
    operator: { ...world.operator, dirty: true },
  };
}

export function deliverOne(world: World, key: string): World {
  const entry = world.objects.get(key);
  if (entry === undefined || entry.lag === 0) return world;
  return {
    ...world,
    objects: withMapEntry(world.objects, key, { ...entry, lag: entry.lag - 1 }),
    operator: { ...world.operator, dirty: true },
  };
}

/** A new process may be shown an old world: an API server that is behind answers its first lists. */
export function startStale(world: World): World {
  const seenId = world.lastId - STALE_WRITES;
  const objects = [...world.objects].map(([key, entry]): [string, Entry] => {
    const newer = entry.ids.filter((id) => id > seenId).length;
    return [key, { ...entry, lag: Math.min(newer, entry.versions.length - 1) }];
  });
  return { ...world, objects: new Map(objects) };
}
