import { durationMs, protobufDuration } from '../api/duration.ts';
import type { ModelDeployment } from '../api/model-deployment.ts';
import {
  entryServiceName,
  gatewayVirtualServiceName,
  headers,
  MESH_GATEWAY,
  meshVirtualServiceName,
  previewDestination,
  probePath,
  SERVICE_PORT,
  serviceHost,
} from '../api/names.ts';
import type { KubernetesObject } from '../api/object.ts';
import { childMetadata } from '../resources/child.ts';
import { conditionOf, previewHosts, withoutPreviewHosts, type PreviewCondition } from './istio-preview.ts';
import { visibleToGateways, visibleToSidecars } from './istio-visibility.ts';
import { FULL_WEIGHT, type Destination, type Mirror, type Routing } from './routing.ts';

export const ISTIO_API_VERSION = 'networking.istio.io/v1';

export interface VirtualService extends KubernetesObject {
  readonly spec: {
    readonly hosts: readonly string[];
    readonly gateways: readonly string[];
    readonly http: readonly HttpRoute[];
    readonly exportTo?: readonly string[];
  };
}

interface HttpRoute {
  readonly name: string;
  readonly match: readonly HttpMatch[];
  readonly directResponse?: { readonly status: number; readonly body: { readonly string: string } };
  readonly rewrite?: { readonly uri: string };
  readonly route?: readonly HttpDestination[];
  readonly mirrors?: readonly HttpMirror[];
  readonly headers?: HeaderOperations;
  readonly timeout?: string;
  readonly retries?: { readonly attempts: number };
}

interface HttpMatch extends PreviewCondition {
  readonly uri: { readonly exact: string } | { readonly prefix: string };
}

interface HttpDestination {
  readonly destination: Host;
  readonly weight: number;
  readonly headers: HeaderOperations;
}

interface HttpMirror {
  readonly destination: Host;
  readonly percentage: { readonly value: number };
}

interface Host {
  readonly host: string;
  readonly port: { readonly number: number };
}

interface HeaderOperations {
  readonly request: { readonly set: Readonly<Record<string, string>> };
}

const PROBE_ROUTE = 'headgate-routing';
export const PREVIEW_ROUTE = 'preview';
export const USER_ROUTE = 'model';
/** Istio counts copies in percent. */
export const MIRROR_UNIT = FULL_WEIGHT / 100;

/** The mesh's first, then the gateways' where the spec names any. */
export function buildVirtualServices(
  modelDeployment: ModelDeployment,
  routing: Routing,
  hash: string,
): readonly VirtualService[] {
  const { metadata, spec } = modelDeployment;
  const { gateways, hosts, pathPrefix } = spec.traffic;
  const mesh = build(modelDeployment, {
    name: meshVirtualServiceName(metadata.name),
    hosts: [serviceHost(entryServiceName(metadata.name), metadata.namespace)],
    gateways: [MESH_GATEWAY],
    // Neighbours name the Service, with and without a sidecar: the path must not depend on it.
    http: httpRoutes(modelDeployment, '/', { routing: withoutPreviewHosts(routing), hash }),
    exportTo: visibleToSidecars(modelDeployment),
  });
  if (gateways === undefined) return [mesh];
  const fromGateways = build(modelDeployment, {
    name: gatewayVirtualServiceName(metadata.name),
    hosts: [...(hosts ?? []), ...previewHosts(routing)],
    gateways,
    http: httpRoutes(modelDeployment, pathPrefix, { routing, hash }),
    exportTo: visibleToGateways(modelDeployment),
  });
  return [mesh, fromGateways];
}

interface Rendering extends Omit<VirtualService['spec'], 'exportTo'> {
  readonly name: string;
  readonly exportTo: readonly string[] | undefined;
}

function build(
  modelDeployment: ModelDeployment,
  { name, hosts, gateways, http, exportTo }: Rendering,
): VirtualService {
  return {
    apiVersion: ISTIO_API_VERSION,
    kind: 'VirtualService',
    metadata: childMetadata(modelDeployment, { name }),
    spec: { hosts, gateways, http, ...(exportTo !== undefined && { exportTo }) },
  };
}

interface Rules {
  readonly routing: Routing;
  readonly hash: string;
}

/** Whoever asks for a preview has to get it, so previews come before the users' route, which takes every request. */
function httpRoutes(
  modelDeployment: ModelDeployment,
  pathPrefix: string,
  { routing, hash }: Rules,
): readonly HttpRoute[] {
  const { destinations, mirrors = [], previews = [] } = routing;
  const common = commonTo(modelDeployment, hash);
  return [
    {
      name: PROBE_ROUTE,
      match: [{ uri: { exact: probePath(pathPrefix) } }],
      directResponse: { status: 200, body: { string: hash } },
    },
    ...previews.map(({ revision, match }) => ({
      name: PREVIEW_ROUTE,
      ...pathOf(pathPrefix, conditionOf(match)),
      route: [
        destinationOf(modelDeployment, { revision, weight: FULL_WEIGHT }, previewDestination(revision)),
      ],
      ...common,
    })),
    {
      name: USER_ROUTE,
      ...pathOf(pathPrefix),
      route: destinations.map((destination) => destinationOf(modelDeployment, destination)),
      ...(mirrors.length > 0 && { mirrors: mirrors.map((mirror) => mirrorOf(modelDeployment, mirror)) }),
      ...common,
    },
  ];
}

function commonTo(
  { spec: { traffic } }: ModelDeployment,
  hash: string,
): Pick<HttpRoute, 'headers' | 'timeout' | 'retries'> {
  return {
    headers: setHeader(headers.routing, hash),
    timeout: protobufDuration(durationMs(traffic.timeout)),
    // Written out at 0 too: Istio retries twice where nothing is said.
    retries: { attempts: traffic.retries.attempts },
  };
}

/** `/fraud` and what lies below it, but not `/fraudulent`; the model sees paths without the prefix. */
function pathOf(pathPrefix: string, condition: PreviewCondition = {}): Pick<HttpRoute, 'match' | 'rewrite'> {
  if (pathPrefix === '/') return { match: [{ uri: { prefix: '/' }, ...condition }] };
  return {
    match: [
      { uri: { prefix: `${pathPrefix}/` }, ...condition },
      { uri: { exact: pathPrefix }, ...condition },
    ],
    rewrite: { uri: '/' },
  };
}

/** `chosen` is what the runtime is told; a runtime that reads another name than its own has got a copy. */
function destinationOf(
  modelDeployment: ModelDeployment,
  { revision, weight }: Destination,
  chosen = revision,
): HttpDestination {
  return {
    destination: hostOf(modelDeployment, revision),
    weight,
    headers: setHeader(headers.destination, chosen),
  };
}

function mirrorOf(modelDeployment: ModelDeployment, { revision, weight }: Mirror): HttpMirror {
  return { destination: hostOf(modelDeployment, revision), percentage: { value: weight / MIRROR_UNIT } };
}

function hostOf({ metadata }: ModelDeployment, revision: string): Host {
  return { host: serviceHost(revision, metadata.namespace), port: { number: SERVICE_PORT } };
}

function setHeader(name: string, value: string): HeaderOperations {
  return { request: { set: { [name]: value } } };
}
