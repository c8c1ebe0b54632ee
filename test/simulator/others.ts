import {
  entryServiceName,
  gatewayVirtualServiceName,
  labels,
  meshVirtualServiceName,
  revisionName,
} from '../../operator/api/names.ts';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { write, writeVersion } from './api-server.ts';
import { modelUri } from './cluster.ts';
import { EDITED_BY_HAND, keyOf, live, NAME, NAMESPACE, VERSIONS, type World } from './world.ts';

/** On what somebody else has written, in a label, an annotation, a field of the spec or a container. */
export const MARK = 'team.example.com/owner';
const INJECTED = 'injected';

interface Specified extends KubernetesObject {
  readonly spec?: Readonly<Record<string, unknown>>;
}

interface Containers {
  readonly template?: { readonly spec?: { readonly containers?: readonly { readonly name?: string }[] } };
}

/** Another manager writes fields of its own into one of our children. */
export function writeBeside(world: World, child: Specified | undefined): World {
  if (child === undefined) return world;
  const { metadata, spec } = child;
  return write(world, {
    ...child,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, [MARK]: 'blue' },
      annotations: { ...metadata.annotations, [MARK]: 'blue' },
    },
    ...(spec !== undefined && { spec: besideIn(child.kind, spec) }),
  });
}

function besideIn(kind: string, spec: Readonly<Record<string, unknown>>): object {
  // Routes are whole or nothing: see the VirtualService that is edited by hand.
  if (kind === 'VirtualService') return spec;
  if (kind !== 'Deployment') return { ...spec, [MARK]: 'blue' };
  const { template } = spec as Containers;
  const containers = template?.spec?.containers ?? [];
  const left = containers.filter(({ name }) => name !== INJECTED);
  return {
    ...spec,
    [MARK]: 'blue',
    template: { ...template, spec: { ...template?.spec, containers: [...left, { name: INJECTED }] } },
  };
}

/** What of an object is somebody else's; empty where nothing is. */
export function othersIn(object: Specified): readonly string[] {
  return Object.entries(marks)
    .filter(([, isIn]) => isIn(object))
    .map(([what]) => what);
}

const marks: Readonly<Record<string, (object: Specified) => boolean>> = {
  'a label': ({ metadata }) => metadata.labels?.[MARK] !== undefined,
  'an annotation': ({ metadata }) => metadata.annotations?.[MARK] !== undefined,
  'a field of the spec': ({ spec }) => spec?.[MARK] !== undefined,
  'a container': ({ spec }) =>
    (spec as Containers | undefined)?.template?.spec?.containers?.some(({ name }) => name === INJECTED) ??
    false,
};

/** Names that the operator will need, and that nothing bears yet. */
export function freeNames(world: World): readonly KubernetesObject[] {
  const revisions = VERSIONS.map((version) => revisionName(NAME, { model: { uri: modelUri(version) } }));
  return [
    ...revisions.flatMap((name) => [
      stranger('v1', 'Service', name),
      stranger('policy/v1', 'PodDisruptionBudget', name),
      stranger('autoscaling/v2', 'HorizontalPodAutoscaler', name),
      stranger('apps/v1', 'Deployment', name),
      stranger('apps/v1', 'ControllerRevision', name),
      stranger('networking.istio.io/v1', 'DestinationRule', name),
    ]),
    stranger('v1', 'Service', entryServiceName(NAME)),
    stranger('networking.istio.io/v1', 'VirtualService', gatewayVirtualServiceName(NAME)),
    stranger('networking.istio.io/v1', 'VirtualService', meshVirtualServiceName(NAME)),
  ].filter((object) => live(world, keyOf(object)) === undefined);
}

function stranger(apiVersion: string, kind: string, name: string): KubernetesObject {
  return {
    ...{ apiVersion, kind },
    metadata: { name, namespace: NAMESPACE, annotations: { [EDITED_BY_HAND]: 'true' } },
    ...(kind === 'VirtualService' ? { spec: { http: [] } } : { spec: {} }),
  };
}

export function takeName(world: World, index: number): World {
  const object = freeNames(world)[index];
  if (object === undefined) return world;
  return write(world, { ...object, metadata: { ...object.metadata, uid: `uid-${world.lastId + 1}` } });
}

/** An object that neither is nor ever was ours. */
export function isStranger(object: KubernetesObject | null | undefined): boolean {
  if (object === null || object === undefined) return false;
  const isOwned = object.metadata.ownerReferences !== undefined;
  return !isOwned && object.metadata.annotations?.[EDITED_BY_HAND] !== undefined;
}

/** Whoever has taken names gives them back. */
export function freeAllNames(world: World): World {
  return [...world.objects]
    .filter(([, { versions }]) => isStranger(versions[0]))
    .reduce((next, [key]) => writeVersion(next, key, null), world);
}

/** Whether the operator's caches hold it: by our label. */
export function isChild(object: KubernetesObject | null | undefined): boolean {
  return object?.metadata.labels?.[labels.modelDeployment] === NAME;
}
