import {
  entryServiceName,
  gatewayVirtualServiceName,
  labels,
  meshVirtualServiceName,
} from '../../operator/api/names.ts';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { FULL_WEIGHT, type Destination } from '../../operator/traffic/routing.ts';
import {
  EDITED_BY_HAND,
  isServing,
  live,
  NAME,
  type Held,
  type LiveService,
  type Pod,
  type Bucket,
  type Proxy,
  type ProxyRole,
  type World,
} from './world.ts';

const REQUESTS_PER_SECOND = 40;
const WINDOW_MS = 30_000;
const BUCKET_MS = 5_000;
const ROUTINGS_REMEMBERED_MS = 600_000;
const ERROR_SHARE = 0.5;

interface HttpRoute {
  readonly directResponse?: { readonly body?: { readonly string?: string } };
  readonly match?: readonly {
    readonly uri?: { readonly exact?: string };
    readonly headers?: Readonly<Record<string, object>>;
    readonly authority?: object;
  }[];
  readonly route?: readonly { readonly destination: Host; readonly weight: number }[];
  readonly mirrors?: readonly {
    readonly destination: Host;
    readonly percentage: { readonly value: number };
  }[];
}

interface Host {
  readonly host: string;
}

interface LiveVirtualService extends KubernetesObject {
  readonly spec: { readonly http: readonly HttpRoute[] };
}

const parsed = new WeakMap<KubernetesObject, Held>();

/** What a proxy makes of a VirtualService; read from the object itself, not through the operator's own reader. */
export function heldFrom(virtualService: KubernetesObject): Held {
  const known = parsed.get(virtualService);
  if (known !== undefined) return known;
  const held = parse(virtualService as LiveVirtualService);
  parsed.set(virtualService, held);
  return held;
}

/** Every route comes more than once, since requests over gRPC go to a port of their own. */
function isForGrpc({ match = [] }: HttpRoute): boolean {
  return match.every(({ headers }) => headers?.['content-type'] !== undefined);
}

/** Streams have routes beside those of gRPC's other methods, since no timeout may end them. */
function isForStreams({ match = [] }: HttpRoute): boolean {
  return match.every(({ uri }) => uri?.exact?.endsWith('/ModelStreamInfer'));
}

/** What holds for the routes of HTTP has to hold for those of gRPC. */
function checkTwins(routes: readonly HttpRoute[], twins: readonly HttpRoute[]): void {
  const shares = ({ route = [], mirrors = [] }: HttpRoute): string =>
    JSON.stringify([
      route.map(({ destination, weight }) => [destination.host, weight]),
      mirrors.map(({ destination, percentage }) => [destination.host, percentage]),
    ]);
  if (routes.map(shares).join() !== twins.map(shares).join()) {
    throw new Error('requests over gRPC are routed otherwise than those over HTTP');
  }
}

function parse({ spec, metadata }: LiveVirtualService): Held {
  const all = spec.http.filter(({ route }) => route !== undefined);
  const forwarding = all.filter((route) => !isForGrpc(route));
  const overGrpc = all.filter(isForGrpc);
  checkTwins(
    forwarding,
    overGrpc.filter((route) => !isForStreams(route)),
  );
  checkTwins(forwarding, overGrpc.filter(isForStreams));
  // A proxy takes the first route that matches: one without conditions is that of the users, and the last one reached.
  const usersAt = forwarding.findIndex(({ match = [] }) =>
    match.every(({ headers, authority }) => !headers && !authority),
  );
  const users = forwarding[usersAt];
  return {
    hash: hashIn(spec),
    destinations: (users?.route ?? []).map(({ destination, weight }) => ({
      revision: revisionAt(destination),
      weight,
    })),
    mirrors: (users?.mirrors ?? []).map(({ destination, percentage }) => ({
      revision: revisionAt(destination),
      weight: percentage.value * (FULL_WEIGHT / 100),
    })),
    previews: forwarding
      .slice(0, usersAt)
      .flatMap(({ route = [] }) => route.map((each) => revisionAt(each.destination))),
    resourceVersion: metadata.resourceVersion ?? '',
    isForeign: metadata.annotations?.[EDITED_BY_HAND] !== undefined,
  };
}

function revisionAt({ host }: Host): string {
  return host.split('.', 1).join();
}

/** What the probe route answers: the proof of this very configuration. */
function hashIn({ http }: LiveVirtualService['spec']): string {
  const probe = http.find(({ directResponse }) => directResponse !== undefined)?.directResponse;
  return probe?.body?.string?.trim() ?? '';
}

/** What a client of this role would learn at this moment. */
export function offeredTo(world: World, role: ProxyRole): Held | undefined {
  if (role === 'Endpoints') return entryEndpoints(world);
  if (role === 'Plain') return world.proxies.find((proxy) => proxy.role === 'Endpoints')?.held;
  const name = role === 'Gateway' ? gatewayVirtualServiceName(NAME) : meshVirtualServiceName(NAME);
  const virtualService = live(world, `VirtualService/${name}`);
  // A sidecar without a route for this host follows the entry Service like anybody else.
  if (virtualService === undefined) return role === 'Sidecar' ? entryEndpoints(world) : undefined;
  return heldFrom(virtualService);
}

export function entryEndpoints(world: World): Held | undefined {
  const service = live(world, `Service/${entryServiceName(NAME)}`) as LiveService | undefined;
  const revision = service?.spec.selector?.[labels.revision];
  if (service === undefined || revision === undefined) return undefined;
  return {
    hash: '',
    destinations: [{ revision, weight: FULL_WEIGHT }],
    mirrors: [],
    previews: [],
    resourceVersion: service.metadata.resourceVersion ?? '',
    isForeign: false,
  };
}

export function learns(world: World, index: number): World {
  const proxy = world.proxies[index];
  if (proxy?.condition !== 'Well') return world;
  const held = offeredTo(world, proxy.role);
  if (sameHeld(proxy.held, held)) return world;
  return replaceProxy(world, index, { ...proxy, held });
}

export function replaceProxy(world: World, index: number, proxy: Proxy): World {
  return { ...world, proxies: world.proxies.map((other, position) => (position === index ? proxy : other)) };
}

export function sameHeld(left: Held | undefined, right: Held | undefined): boolean {
  return left?.resourceVersion === right?.resourceVersion && left?.hash === right?.hash;
}

/** Users' requests during the time that ends now: each client follows what it holds, evenly over ready pods. */
export function serve(world: World, elapsedMs: number): World {
  const sent = world.proxies
    .filter((proxy) => sendsRequests(world, proxy))
    .flatMap((proxy) => sharesOf(proxy, elapsedMs));
  if (sent.length === 0) return world;
  const pods = world.pods.map((pod) => {
    const arrivals = isServing(pod) ? sent.filter(({ revision }) => revision === pod.revision) : [];
    return arrivals.length === 0 ? pod : answer(world, pod, arrivals);
  });
  return { ...world, pods };
}

interface Arrival {
  readonly revision: string;
  readonly hash: string;
  readonly requests: number;
  readonly origin: 'User' | 'Mirror' | 'Preview';
}

/** A tester asks now and then; users and their copies come all the time. */
function sharesOf({ held }: Proxy, elapsedMs: number): readonly Arrival[] {
  const { hash = '', destinations = [], mirrors = [], previews = [] } = held ?? {};
  const share = ({ revision, weight }: Destination, origin: Arrival['origin']): Arrival => ({
    ...{ revision, hash, origin },
    requests: Math.ceil((elapsedMs / 1000) * REQUESTS_PER_SECOND * (weight / FULL_WEIGHT)),
  });
  return [
    ...destinations.filter(({ weight }) => weight > 0).map((destination) => share(destination, 'User')),
    ...mirrors.map((mirror) => share(mirror, 'Mirror')),
    ...previews.map((revision): Arrival => ({ revision, hash, requests: 1, origin: 'Preview' })),
  ];
}

function sendsRequests({ platform }: World, { condition, role }: Proxy): boolean {
  // Without users a sidecar that learns nothing would be seen by nobody: such a world has none (see `quiet`).
  // EndpointSlices tell others where to send.
  if (role === 'Endpoints') return false;
  return condition !== 'Stopped' && (platform.userTraffic || role === 'Plain');
}

function answer({ nowMs, behaviours }: World, pod: Pod, arrivals: readonly Arrival[]): Pod {
  const { memory, version } = pod;
  const bucket = (origin: Arrival['origin']): Bucket => {
    const own = arrivals.filter((arrival) => arrival.origin === origin);
    const requests = own.reduce((sum, arrival) => sum + arrival.requests, 0);
    const isBad = behaviours[version] === 'AnswersWithErrors';
    return { atMs: nowMs, requests, errors: isBad ? Math.ceil(requests * ERROR_SHARE) : 0 };
  };
  const users = bucket('User');
  const hashes = arrivals.map(({ hash }) => hash).filter((hash) => hash !== '');
  return {
    ...pod,
    servedAtMs: nowMs,
    memory: {
      requests: memory.requests + users.requests,
      errors: memory.errors + users.errors,
      recent: counted(memory.recent, users),
      recentMirrors: counted(memory.recentMirrors, bucket('Mirror')),
      lastRequestMs: nowMs,
      routings: new Map([
        ...[...memory.routings].filter(([, seenMs]) => nowMs - seenMs <= ROUTINGS_REMEMBERED_MS),
        ...hashes.map((hash): [string, number] => [hash, nowMs]),
      ]),
    },
  };
}

function counted(recent: readonly Bucket[], bucket: Bucket): readonly Bucket[] {
  if (bucket.requests === 0) return recent;
  const [newest, ...older] = recent.filter(({ atMs }) => bucket.atMs - atMs < WINDOW_MS);
  if (newest === undefined) return [bucket];
  if (bucket.atMs - newest.atMs >= BUCKET_MS) return [bucket, newest, ...older];
  const { requests, errors } = newest;
  return [
    { atMs: newest.atMs, requests: requests + bucket.requests, errors: errors + bucket.errors },
    ...older,
  ];
}

/** The counts of the last 30 seconds. */
export function windowOf(recent: readonly Bucket[], nowMs: number): { requests: number; errors: number } {
  return recent
    .filter(({ atMs }) => nowMs - atMs < WINDOW_MS)
    .reduce(
      (sum, { requests, errors }) => ({ requests: sum.requests + requests, errors: sum.errors + errors }),
      { requests: 0, errors: 0 },
    );
}
