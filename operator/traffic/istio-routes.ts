import { durationMs, protobufDuration } from '../api/duration.ts';
import type { ModelDeployment } from '../api/model-deployment.ts';
import {
  GRPC_PORT,
  headers,
  previewDestination,
  probePath,
  SERVICE_PORT,
  serviceHost,
} from '../api/names.ts';
import { conditionOf, type Condition } from './istio-preview.ts';
import { FULL_WEIGHT, type Destination, type Mirror, type Preview, type Routing } from './routing.ts';

export interface HttpRoute {
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

interface HttpMatch extends Condition {
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

/** What goes to which port of a revision's Service, whichever port and gateway it came by. */
interface Protocol {
  /** Behind the names of routes, by which live ones are read: those of HTTP have the plain names. */
  readonly suffix: string;
  readonly port: number;
  readonly headers: NonNullable<Condition['headers']>;
  /** Undefined: every path of the model. */
  readonly method?: string;
}

const grpc: Protocol = {
  suffix: '-grpc',
  port: GRPC_PORT,
  headers: { 'content-type': { prefix: 'application/grpc' } },
};
/** It lasts as long as its client likes, and a timeout counts the whole of it. */
const grpcStream: Protocol = {
  ...grpc,
  suffix: '-grpc-stream',
  method: '/inference.GRPCInferenceService/ModelStreamInfer',
};
const plainHttp: Protocol = { suffix: '', port: SERVICE_PORT, headers: {} };
/** The stricter condition first: the first route that fits takes a request. */
const protocols: readonly Protocol[] = [grpcStream, grpc, plainHttp];

const PROBE_ROUTE = 'headgate-routing';
export const PREVIEW_ROUTE = 'preview';
export const USER_ROUTE = 'model';
/** Istio counts copies in percent. */
export const MIRROR_UNIT = FULL_WEIGHT / 100;

export interface Rules {
  readonly routing: Routing;
  readonly hash: string;
}

/** Whoever asks for a preview has to get it, so previews come before the users' route, which takes every request. */
export function buildHttpRoutes(
  modelDeployment: ModelDeployment,
  pathPrefix: string,
  { routing, hash }: Rules,
): readonly HttpRoute[] {
  const { previews = [] } = routing;
  const common = (protocol: Protocol): CommonParts => commonParts(modelDeployment, protocol, hash);
  return [
    {
      name: PROBE_ROUTE,
      match: [{ uri: { exact: probePath(pathPrefix) } }],
      directResponse: { status: 200, body: { string: hash } },
    },
    ...previews.flatMap((preview) =>
      protocols.map((protocol) => ({
        ...previewRoute(modelDeployment, pathPrefix, { preview, protocol }),
        ...common(protocol),
      })),
    ),
    ...protocols.map((protocol) => ({
      ...userRoute(modelDeployment, pathPrefix, { routing, protocol }),
      ...common(protocol),
    })),
  ];
}

function previewRoute(
  modelDeployment: ModelDeployment,
  pathPrefix: string,
  { preview: { revision, match }, protocol }: { readonly preview: Preview; readonly protocol: Protocol },
): HttpRoute {
  const chosen = { revision, weight: FULL_WEIGHT, chosen: previewDestination(revision) };
  return {
    name: PREVIEW_ROUTE + protocol.suffix,
    ...pathOf(pathPrefix, protocol, conditionFor(protocol, conditionOf(match))),
    route: [destinationOf(modelDeployment, protocol, chosen)],
  };
}

function userRoute(
  modelDeployment: ModelDeployment,
  pathPrefix: string,
  { routing, protocol }: { readonly routing: Routing; readonly protocol: Protocol },
): HttpRoute {
  const { destinations, mirrors = [] } = routing;
  return {
    name: USER_ROUTE + protocol.suffix,
    ...pathOf(pathPrefix, protocol, conditionFor(protocol, {})),
    route: destinations.map((destination) =>
      destinationOf(modelDeployment, protocol, { ...destination, chosen: destination.revision }),
    ),
    ...(mirrors.length > 0 && {
      mirrors: mirrors.map((mirror) => mirrorOf(modelDeployment, protocol, mirror)),
    }),
  };
}

function conditionFor({ headers: own }: Protocol, { headers: others, authority }: Condition): Condition {
  const all = { ...others, ...own };
  return {
    ...(Object.keys(all).length > 0 && { headers: all }),
    ...(authority !== undefined && { authority }),
  };
}

type CommonParts = Pick<HttpRoute, 'headers' | 'timeout' | 'retries'>;

function commonParts(
  { spec: { traffic } }: ModelDeployment,
  { method }: Protocol,
  hash: string,
): CommonParts {
  return {
    headers: setHeader(headers.routing, hash),
    // Istio takes no 0, and has none where nothing is said.
    ...(method === undefined && { timeout: protobufDuration(durationMs(traffic.timeout)) }),
    // Written out at 0 too: Istio retries twice where nothing is said.
    retries: { attempts: traffic.retries.attempts },
  };
}

/** `/fraud` and what lies below it, but not `/fraudulent`; the model sees paths without the prefix. */
function pathOf(
  pathPrefix: string,
  { method }: Protocol,
  condition: Condition,
): Pick<HttpRoute, 'match' | 'rewrite'> {
  if (method !== undefined) return pathOfMethod(pathPrefix, method, condition);
  if (pathPrefix === '/') return { match: [{ uri: { prefix: '/' }, ...condition }] };
  return {
    match: [
      { uri: { prefix: `${pathPrefix}/` }, ...condition },
      { uri: { exact: pathPrefix }, ...condition },
    ],
    rewrite: { uri: '/' },
  };
}

function pathOfMethod(
  pathPrefix: string,
  method: string,
  condition: Condition,
): Pick<HttpRoute, 'match' | 'rewrite'> {
  if (pathPrefix === '/') return { match: [{ uri: { exact: method }, ...condition }] };
  return { match: [{ uri: { exact: pathPrefix + method }, ...condition }], rewrite: { uri: method } };
}

/** `chosen` is what the runtime is told; a runtime that reads another name than its own has got a copy. */
function destinationOf(
  modelDeployment: ModelDeployment,
  protocol: Protocol,
  { revision, weight, chosen }: Destination & { readonly chosen: string },
): HttpDestination {
  return {
    destination: hostOf(modelDeployment, protocol, revision),
    weight,
    headers: setHeader(headers.destination, chosen),
  };
}

function mirrorOf(
  modelDeployment: ModelDeployment,
  protocol: Protocol,
  { revision, weight }: Mirror,
): HttpMirror {
  return {
    destination: hostOf(modelDeployment, protocol, revision),
    percentage: { value: weight / MIRROR_UNIT },
  };
}

function hostOf({ metadata }: ModelDeployment, { port }: Protocol, revision: string): Host {
  return { host: serviceHost(revision, metadata.namespace), port: { number: port } };
}

function setHeader(name: string, value: string): HeaderOperations {
  return { request: { set: { [name]: value } } };
}
