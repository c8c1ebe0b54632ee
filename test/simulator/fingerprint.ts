import { DECISION_KIND } from '../../operator/api/names.ts';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { unansweredDecisions } from './decisions.ts';
import { liveModelDeployment, type Held, type Pod, type World } from './world.ts';

const contents = new Map<string, number>();
const known = new WeakMap<object, number>();

/** Two objects of equal content have the same number; times and generated names do not count as content. */
function contentNumber(value: object): number {
  const remembered = known.get(value);
  if (remembered !== undefined) return remembered;
  const text = JSON.stringify(contentOf(value))
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'T')
    .replace(/-\d+\b/g, '-N');
  const number = contents.get(text) ?? contents.size + 1;
  contents.set(text, number);
  known.set(value, number);
  return number;
}

function contentOf(value: object): unknown {
  if (!('metadata' in value)) return value;
  const { metadata, ...rest } = value as KubernetesObject;
  return {
    ...rest,
    name: metadata.name,
    annotations: metadata.annotations,
    deletion: metadata.deletionTimestamp,
  };
}

function heldNumber({ hash, destinations, mirrors, previews }: Held): number {
  return contentNumber({ hash, destinations, mirrors, previews });
}

const DRAIN_MS = 5_000;

function podText({ revision, state, crashes, terminatingSinceMs, servedAtMs }: Pod, nowMs: number): string {
  const busy = servedAtMs !== undefined && nowMs - servedAtMs < DRAIN_MS;
  return `${revision}${state}${crashes}${terminatingSinceMs === undefined ? '' : 't'}${busy ? 'b' : ''}`;
}

const fingerprints = new WeakMap<World, number>();

/** What makes this world a different one, whenever it is and however things in it came to be called. */
export function fingerprint(world: World): number {
  const remembered = fingerprints.get(world);
  if (remembered !== undefined) return remembered;
  const number = hash(textOf(world));
  fingerprints.set(world, number);
  return number;
}

function textOf(world: World): string {
  const { operator, nowMs } = world;
  const objects = [...world.objects].map(
    ([key, { versions, lag }]) =>
      `${withoutNumber(key)}${versions.map((object) => (object ? contentNumber(object) : '-')).join()}@${lag}`,
  );
  // Ids of rollouts differ in their numbers alone.
  const rolloutId = liveModelDeployment(world)?.status?.rolloutId;
  const waiting = unansweredDecisions(world).map(({ spec }) => spec.rollout === rolloutId);
  const proxies = world.proxies.map(({ condition, held }) => `${condition}${held ? heldNumber(held) : '-'}`);
  const due = operator.dueMs === undefined ? '-' : Math.sign(operator.dueMs - nowMs);
  const pass = operator.pass && `${operator.pass.next}/${operator.pass.actions.length}`;
  const parts = [
    ...objects,
    waiting.join(),
    ...world.pods.map((pod) => podText(pod, nowMs)),
    ...proxies,
    `${operator.dirty}${due}${pass ?? ''}`,
    `${contentNumber(world.behaviours)},${contentNumber(world.platform)},${world.cachedPods === world.pods}`,
  ];
  return parts.join('|');
}

/** Decisions are named by when they were made. */
function withoutNumber(key: string): string {
  return key.startsWith(DECISION_KIND) ? DECISION_KIND : key;
}

/** 53 bits: two rounds of FNV-1a with different starts. */
function hash(text: string): number {
  let high = 0x811c9dc5;
  let low = 0x01000193;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x5bd1e995) ^ (low >>> 15);
  }
  return (high >>> 0) * 0x20_0000 + ((low >>> 0) & 0x1f_ffff);
}
