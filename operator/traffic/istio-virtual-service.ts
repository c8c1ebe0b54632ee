import { durationMs, protobufDuration } from '../api/duration.ts';
import type { ModelDeployment } from '../api/model-deployment.ts';
import {
  entryServiceName,
  gatewayVirtualServiceName,
  headers,
  MESH_GATEWAY,
  meshVirtualServiceName,
  probePath,
  SERVICE_PORT,
  serviceHost,
} from '../api/names.ts';
import type { KubernetesObject } from '../api/object.ts';
import { childMetadata } from '../resources/child.ts';
import type { Destination, Routing } from './routing.ts';
import { visibleToGateways, visibleToSidecars } from './istio-visibility.ts';

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
  readonly match: readonly { readonly uri: { readonly exact: string } | { readonly prefix: string } }[];
  readonly directResponse?: { readonly status: number; readonly body: { readonly string: string } };
  readonly rewrite?: { readonly uri: string };
  readonly route?: readonly HttpDestination[];
  readonly headers?: HeaderOperations;
  readonly timeout?: string;
  readonly retries?: { readonly attempts: number };
}

interface HttpDestination {
  readonly destination: { readonly host: string; readonly port: { readonly number: number } };
  readonly weight: number;
  readonly headers: HeaderOperations;
}

interface HeaderOperations {
  readonly request: { readonly set: Readonly<Record<string, string>> };
}

const PROBE_ROUTE = 'headgate-routing';
const USER_ROUTE = 'model';

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
    http: httpRoutes(modelDeployment, '/', { routing, hash }),
    exportTo: visibleToSidecars(modelDeployment),
  });
  if (gateways === undefined) return [mesh];
  const fromGateways = build(modelDeployment, {
    name: gatewayVirtualServiceName(metadata.name),
    hosts: hosts ?? [],
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

function httpRoutes(
  modelDeployment: ModelDeployment,
  pathPrefix: string,
  { routing, hash }: { readonly routing: Routing; readonly hash: string },
): readonly HttpRoute[] {
  const { traffic } = modelDeployment.spec;
  return [
    {
      name: PROBE_ROUTE,
      match: [{ uri: { exact: probePath(pathPrefix) } }],
      directResponse: { status: 200, body: { string: hash } },
    },
    {
      name: USER_ROUTE,
      ...pathOf(pathPrefix),
      route: routing.destinations.map((destination) => destinationOf(modelDeployment, destination)),
      headers: setHeader(headers.routing, hash),
      timeout: protobufDuration(durationMs(traffic.timeout)),
      // Written out at 0 too: Istio retries twice where nothing is said.
      retries: { attempts: traffic.retries.attempts },
    },
  ];
}

/** `/fraud` and what lies below it, but not `/fraudulent`; the model sees paths without the prefix. */
function pathOf(pathPrefix: string): Pick<HttpRoute, 'match' | 'rewrite'> {
  if (pathPrefix === '/') return { match: [{ uri: { prefix: '/' } }] };
  return {
    match: [{ uri: { prefix: `${pathPrefix}/` } }, { uri: { exact: pathPrefix } }],
    rewrite: { uri: '/' },
  };
}

function destinationOf({ metadata }: ModelDeployment, { revision, weight }: Destination): HttpDestination {
  return {
    destination: { host: serviceHost(revision, metadata.namespace), port: { number: SERVICE_PORT } },
    weight,
    headers: setHeader(headers.destination, revision),
  };
}

function setHeader(name: string, value: string): HeaderOperations {
  return { request: { set: { [name]: value } } };
}

/** A VirtualService as it is found: Istio lets a hand edit leave out or add nearly everything. */
export interface LiveVirtualService extends KubernetesObject {
  readonly spec?: { readonly http?: readonly LiveRoute[] };
}

interface LiveRoute {
  readonly route?: readonly {
    readonly destination?: { readonly host?: string };
    readonly weight?: number;
  }[];
  readonly headers?: { readonly request?: { readonly set?: Readonly<Record<string, string>> } };
}

export function isVirtualService(object: KubernetesObject): object is LiveVirtualService {
  return object.kind === 'VirtualService' && object.apiVersion.startsWith('networking.istio.io/');
}

/** The destinations of users' requests. */
export function destinationsOf(virtualService: LiveVirtualService): readonly Destination[] {
  const routes = userRoute(virtualService)?.route ?? [];
  return routes.map(({ destination, weight }) => ({
    revision: (destination?.host ?? '').split('.', 1).join(),
    weight: weight ?? 0,
  }));
}

export function embeddedHash(virtualService: LiveVirtualService): string | undefined {
  return userRoute(virtualService)?.headers?.request?.set?.[headers.routing];
}

function userRoute({ spec }: LiveVirtualService): LiveRoute | undefined {
  return spec?.http?.find(({ route }) => route !== undefined);
}
