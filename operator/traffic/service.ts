import { shortHash } from '../api/canonical.ts';
import { annotations, entryServiceName, GRPC_PORT, labels, SERVICE_PORT } from '../api/names.ts';
import type { ModelDeployment } from '../api/model-deployment.ts';
import type { KubernetesObject } from '../api/object.ts';
import { buildEntryService } from '../resources/service.ts';
import { featuresOf } from './feature.ts';
import { isVirtualService } from './istio-live.ts';
import type { Router } from './router.ts';
import { FULL_WEIGHT, type Routing } from './routing.ts';

/**
 * No mesh: the entry Service sends everything to the one revision that its selector names, since no selector can say
 * "this one or that one". An EndpointSlice of our own could, and would stand still with every pod that dies while the
 * operator is away (docs/decisions/0022). Who is staged with weight 0 is written beside the selector.
 */
export const service: Router = {
  carrier: 'EntryService',
  features: new Set(),

  render(modelDeployment, routing) {
    const object = buildEntryService(modelDeployment, receiverOf(routing), stagedIn(routing));
    return { objects: [object], hash: contentHash(object) };
  },

  policiesFor: () => [],

  readRouting(children, modelDeployment) {
    const live = entryServiceOf(children, modelDeployment);
    if (live === undefined) return undefined;
    const receiver = live.spec?.selector?.[labels.revision];
    const staged = readStaged(live).filter((revision) => revision !== receiver);
    return {
      destinations: [
        ...(receiver === undefined ? [] : [{ revision: receiver, weight: FULL_WEIGHT }]),
        ...staged.map((revision) => ({ revision, weight: 0 })),
      ],
    };
  },

  liveHash(children, modelDeployment) {
    const live = entryServiceOf(children, modelDeployment);
    return live === undefined ? undefined : contentHash(live);
  },

  /**
   * Routes of Istio are in the way of a Service that was chosen; where Istio itself is away they may be all that
   * proxies have when it comes back.
   */
  obsolete: (children, { spec }) =>
    spec.traffic.router === 'Service' ? children.filter(isVirtualService) : [],

  /** The policies of what a route names outlive it (I3). */
  obsoletePolicies: (children, { spec }) =>
    spec.traffic.router === 'Service' && !children.some(isVirtualService)
      ? children.filter(({ apiVersion }) => apiVersion.startsWith('networking.istio.io/'))
      : [],
};

function receiverOf(routing: Routing): string {
  const [missing] = featuresOf(routing);
  const receiver = routing.destinations.find(({ weight }) => weight === FULL_WEIGHT)?.revision;
  if (missing !== undefined || receiver === undefined)
    throw new Error(
      `plain Services send everything to one revision; nobody may ask them for ${missing ?? 'less'}`,
    );
  return receiver;
}

function stagedIn({ destinations }: Routing): readonly string[] {
  return destinations.filter(({ weight }) => weight === 0).map(({ revision }) => revision);
}

/** As it is found: a hand edit may have left out or changed anything. */
interface LiveService extends KubernetesObject {
  readonly spec?: {
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly Readonly<Record<string, unknown>>[];
  };
}

function entryServiceOf(
  children: readonly KubernetesObject[],
  { metadata }: ModelDeployment,
): LiveService | undefined {
  const name = entryServiceName(metadata.name);
  return children.find((child) => child.kind === 'Service' && child.metadata.name === name);
}

function readStaged({ metadata }: KubernetesObject): readonly string[] {
  return metadata.annotations?.[annotations.staged]?.split(',').filter((revision) => revision !== '') ?? [];
}

/** Over what decides where requests go; what the API server or somebody else adds beside it does not count. */
function contentHash(object: LiveService): string {
  const { selector, ports = [] } = object.spec ?? {};
  const own = ports.filter(({ port }) => port === SERVICE_PORT || port === GRPC_PORT);
  return shortHash({
    selector,
    ports: own.map(({ name, protocol, targetPort, appProtocol }) => ({
      ...{ name, protocol, targetPort, appProtocol },
    })),
    staged: readStaged(object),
  });
}
