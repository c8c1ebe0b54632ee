import { canonicalJson } from '../../../operator/api/canonical.ts';
import { annotations } from '../../../operator/api/names.ts';
import type { KubernetesObject } from '../../../operator/api/object.ts';

/** What a rollout has left behind, and what it did on the way, without what differs from one run to the next. */
export interface Outcome {
  /** Kind and name → the object, its status too where it is ours. */
  readonly objects: ReadonlyMap<string, string>;
  /** Each deletion that the API server has carried out. */
  readonly deletions: readonly string[];
  /** The reasons of the events that were recorded. */
  readonly reasons: readonly string[];
  /** Where users were sent, one after the other. */
  readonly routes: readonly Route[];
}

/** Whom one object sends users to. */
export interface Route {
  readonly object: string;
  readonly to: string;
}

const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
/** The milliseconds in the id of a rollout. */
const ROLLOUT_NUMBER = /(?<=[a-z0-9]{10}-)\d{13}(?=")/g;
const UID = /[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g;

/** Differs between two worlds, not between two ends. */
interface World {
  readonly namespace: string;
  /** Of the ModelDeployment. */
  readonly uid: string;
  /** Of the routing that status has, with hosts that are this world's own. */
  readonly routingHash: string | undefined;
}

export function canonicalObject(object: KubernetesObject, { namespace, uid, routingHash }: World): string {
  const { metadata, ...rest } = object as KubernetesObject & { readonly status?: unknown };
  const { status, ...content } = rest;
  const { name, labels, annotations: notes = {}, ownerReferences, deletionTimestamp } = metadata;
  const kept = {
    ...withoutAddresses(content),
    metadata: {
      ...{ name, labels, ownerReferences },
      annotations: {
        ...notes,
        ...(notes[annotations.applied] !== undefined && { [annotations.applied]: '' }),
      },
      ...(deletionTimestamp !== undefined && { isBeingDeleted: true }),
    },
    ...(object.kind === 'ModelDeployment' && { status }),
  };
  return canonicalJson(kept)
    .replaceAll(namespace, 'NAMESPACE')
    .replaceAll(uid, 'OWNER')
    .replaceAll(UID, 'UID')
    .replaceAll(routingHash ?? '\n', 'ROUTING')
    .replaceAll(TIME, 'TIME')
    .replaceAll(ROLLOUT_NUMBER, 'NUMBER');
}

/** What the API server gives a Service is another one for each. */
function withoutAddresses(content: object): object {
  const { spec } = content as { readonly spec?: Readonly<Record<string, unknown>> };
  if (spec?.['clusterIP'] === undefined) return content;
  const { clusterIP: _clusterIP, clusterIPs: _clusterIPs, ...kept } = spec;
  return { ...content, spec: kept };
}

/** How the one rollout came out otherwise than the other, in sentences; none where it did not. */
export function differences(expected: Outcome, actual: Outcome): readonly string[] {
  return [
    ...differentObjects(expected.objects, actual.objects),
    ...surplus(actual.deletions, expected.deletions).map((what) => `deleted once too often: ${what}`),
    ...surplus(expected.deletions, actual.deletions).map((what) => `not deleted: ${what}`),
    ...surplus(distinct(actual.reasons), distinct(expected.reasons)).map((what) => `event ${what} too much`),
    ...surplus(distinct(expected.reasons), distinct(actual.reasons)).map((what) => `no event ${what}`),
    ...differentRoutes(expected.routes, actual.routes),
  ];
}

function differentObjects(
  expected: ReadonlyMap<string, string>,
  actual: ReadonlyMap<string, string>,
): readonly string[] {
  const names = [...new Set([...expected.keys(), ...actual.keys()])].sort();
  return names.flatMap((name) => {
    const [should, is] = [expected.get(name), actual.get(name)];
    if (should === is) return [];
    if (should === undefined) return [`left over: ${name}`];
    if (is === undefined) return [`missing: ${name}`];
    return [`${name} differs: ${firstDifference(should, is)}`];
  });
}

const QUOTE = 160;

function firstDifference(should: string, is: string): string {
  let at = 0;
  while (at < should.length && should[at] === is[at]) at += 1;
  const from = Math.max(0, at - QUOTE / 2);
  return `…${is.slice(from, from + QUOTE)}… for …${should.slice(from, from + QUOTE)}…`;
}

/**
 * Of each object that sends users somewhere: a state may be passed by unseen, or be over before anybody could write it.
 * None may come that the other rollout did not have, or in another order, and the last one is the same.
 */
function differentRoutes(expected: readonly Route[], actual: readonly Route[]): readonly string[] {
  const objects = distinct([...expected, ...actual].map(({ object }) => object));
  return objects.flatMap((object) => {
    const [should, is] = [expected, actual].map((routes) =>
      routes.filter((route) => route.object === object).map(({ to }) => to),
    ) as [string[], string[]];
    return isPartOf(is, should) && is.at(-1) === should.at(-1)
      ? []
      : [`${object} sent users otherwise: ${is.join(' → ')} for ${should.join(' → ')}`];
  });
}

function isPartOf(part: readonly string[], whole: readonly string[]): boolean {
  let from = 0;
  return part.every((state) => {
    const at = whole.indexOf(state, from);
    from = at + 1;
    return at >= 0;
  });
}

function distinct(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}

/** What the one list has more often than the other. */
function surplus(list: readonly string[], other: readonly string[]): readonly string[] {
  const left = [...other];
  return list.filter((value) => {
    const at = left.indexOf(value);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
