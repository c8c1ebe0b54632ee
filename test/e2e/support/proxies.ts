import type { Bed } from '../../bed/bed.ts';
import { gatewayPods } from '../../bed/pods.ts';
import { askEnvoy } from '../../bed/proxies.ts';
import type { ObjectName } from './status.ts';

interface RouteConfiguration {
  readonly route_config?: {
    readonly virtual_hosts?: readonly { readonly routes?: readonly EnvoyRoute[] }[];
  };
}

interface EnvoyRoute {
  readonly route?: {
    readonly cluster?: string;
    readonly weighted_clusters?: {
      readonly clusters: readonly { readonly name: string; readonly weight?: number }[];
    };
  };
}

/** Weights of 10000 by revision. */
export type Weights = Readonly<Record<string, number>>;

/** What one Envoy itself says that it does with requests for a ModelDeployment; empty when it knows no route there. */
export async function weightsAtProxy(address: string, { namespace, name }: ObjectName): Promise<Weights> {
  const text = await askEnvoy(address, '/config_dump?resource=dynamic_route_configs');
  const dump = JSON.parse(text) as { readonly configs?: readonly RouteConfiguration[] };
  const routes = (dump.configs ?? [])
    .flatMap(({ route_config }) => route_config?.virtual_hosts ?? [])
    .flatMap((virtualHost) => virtualHost.routes ?? []);
  const weights: Record<string, number> = {};
  for (const route of routes) {
    const found = weightsOf(route)
      .map(([cluster, weight]) => [revisionOf(cluster, { namespace, name }), weight] as const)
      .filter((entry): entry is readonly [string, number] => entry[0] !== undefined);
    Object.assign(weights, Object.fromEntries(found));
  }
  return weights;
}

/** By gateway pod. */
export async function weightsAtGateways(
  bed: Bed,
  name: ObjectName,
): Promise<Readonly<Record<string, Weights>>> {
  const pods = await gatewayPods(bed);
  return Object.fromEntries(
    await Promise.all(pods.map(async (pod) => [pod.name, await weightsAtProxy(pod.address, name)] as const)),
  );
}

/** True when every gateway sends a revision nothing. */
export async function isWithoutTraffic(bed: Bed, name: ObjectName, revision: string): Promise<boolean> {
  const gateways = Object.values(await weightsAtGateways(bed, name));
  return gateways.length > 0 && gateways.every((weights) => (weights[revision] ?? 0) === 0);
}

function weightsOf({ route }: EnvoyRoute): (readonly [string, number])[] {
  if (route?.weighted_clusters !== undefined) {
    // An omitted weight is protobuf's zero.
    return route.weighted_clusters.clusters.map(({ name, weight }) => [name, weight ?? 0] as const);
  }
  return route?.cluster === undefined ? [] : [[route.cluster, 10_000] as const];
}

/** `outbound|80||fraud-7c9f4d2b1k.ml.svc.cluster.local` is the cluster of revision fraud-7c9f4d2b1k. */
function revisionOf(cluster: string, { namespace, name }: ObjectName): string | undefined {
  const [revision = '', place] = (cluster.split('|').at(-1) ?? '').split('.');
  const isOurs =
    place === namespace && revision.startsWith(`${name}-`) && !revision.slice(name.length + 1).includes('-');
  return isOurs ? revision : undefined;
}
