import { probePath } from '../api/names.ts';
import type { ModelDeployment } from '../api/model-deployment.ts';
import type { KubernetesObject } from '../api/object.ts';
import { isForbidden, messageOf } from '../controller/errors.ts';
import type { Cluster } from '../kube/cluster.ts';
import type { GatewayObservation, ProxyObservation } from '../plan/observed.ts';
import { chooseServer, type GatewayServer } from './gateway-server.ts';
import { listeningPort, type GatewayPod, type GatewayService } from './gateway-port.ts';
import { probe } from './probe.ts';

interface Gateway extends KubernetesObject {
  readonly spec: {
    readonly selector?: Readonly<Record<string, string>>;
    readonly servers?: readonly GatewayServer[];
  };
}

type Missing = GatewayObservation['missing'][number];

/**
 * Asks every proxy of every gateway that the spec names which routing it holds. An operator of one namespace looks for
 * them there and in the gateways' namespaces; one of all namespaces, everywhere.
 */
export async function observeGateways(
  cluster: Cluster,
  { metadata, spec: { traffic } }: ModelDeployment,
  gatewayNamespaces?: readonly string[],
): Promise<GatewayObservation> {
  const [host] = traffic.hosts ?? [];
  if (host === undefined) return { proxies: [], missing: [] };
  const path = probePath(traffic.pathPrefix);
  const namespaces = gatewayNamespaces && [...new Set([metadata.namespace, ...gatewayNamespaces])];
  const answers = await Promise.all(
    (traffic.gateways ?? []).map((gateway) => observeGateway(cluster, { gateway, host, path, namespaces })),
  );
  const proxies = new Map(
    answers
      .flatMap((answer) => ('message' in answer ? [] : answer.proxies))
      .map((proxy) => [proxy.name, proxy]),
  );
  return {
    proxies: [...proxies.values()],
    missing: answers.filter((answer): answer is Missing => 'message' in answer),
  };
}

interface Wanted {
  readonly gateway: string;
  readonly host: string;
  readonly path: string;
  /** Where gateways may be looked for; undefined: everywhere. */
  readonly namespaces: readonly string[] | undefined;
}

interface Found {
  readonly proxies: readonly ProxyObservation[];
}

/** Whatever keeps a gateway from being asked is missing evidence; it must not keep the pass from its other work. */
async function observeGateway(cluster: Cluster, wanted: Wanted): Promise<Missing | Found> {
  const missing = (message: string): Missing => ({ gateway: wanted.gateway, message });
  try {
    const answer = await askGateway(cluster, wanted);
    return typeof answer === 'string' ? missing(answer) : answer;
  } catch (error) {
    const remedy = isForbidden(error) ? '; the Roles in gateway-roles.yaml of the chart allow it' : '';
    return missing(`${messageOf(error)}${remedy}`);
  }
}

/** Answers a sentence where nobody can be asked. */
async function askGateway(cluster: Cluster, wanted: Wanted): Promise<string | Found> {
  const [namespace = '', name = ''] = wanted.gateway.split('/');
  if (wanted.namespaces?.includes(namespace) === false) return outOfSight(wanted.namespaces);
  const gateway = (await cluster.read('Gateway', namespace, name)) as Gateway | undefined;
  if (gateway === undefined) return 'there is no such Gateway object';
  const choice = chooseServer(gateway.spec.servers ?? [], wanted.host);
  if ('problem' in choice) return choice.problem;
  const pods = await gatewayPods(cluster, gateway.spec.selector ?? {}, wanted.namespaces);
  if (pods.length === 0) return 'its selector matches no running pod';
  const services = await servicesBeside(cluster, pods);
  const proxies = await Promise.all(
    pods.map((pod) => probe(pod, { ...wanted, ...choice, port: listeningPort(choice.port, pod, services) })),
  );
  return { proxies };
}

function outOfSight(namespaces: readonly string[]): string {
  return `the operator looks for gateways in ${namespaces.join(' and ')} alone; the chart's value gatewayNamespaces can name more`;
}

/** In every namespace that may be seen, as istiod selects them: a proxy that is left out here would be one that nobody proves. */
async function gatewayPods(
  cluster: Cluster,
  selector: Readonly<Record<string, string>>,
  namespaces: readonly string[] | undefined,
): Promise<readonly GatewayPod[]> {
  // An empty selector means every pod of the cluster, proxies or not: nothing that could be asked.
  if (Object.keys(selector).length === 0) return [];
  const labelSelector = Object.entries(selector)
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
  const lists = await Promise.all(
    (namespaces ?? [undefined]).map((namespace) => cluster.list('Pod', namespace, labelSelector)),
  );
  return (lists.flat() as readonly KubernetesObject[] as readonly GatewayPod[]).filter(
    ({ metadata, status }) => status?.phase === 'Running' && metadata.deletionTimestamp === undefined,
  );
}

async function servicesBeside(
  cluster: Cluster,
  pods: readonly GatewayPod[],
): Promise<readonly GatewayService[]> {
  const namespaces = [...new Set(pods.map(({ metadata }) => metadata.namespace ?? ''))];
  const lists = await Promise.all(namespaces.map((namespace) => cluster.list('Service', namespace, '')));
  return lists.flat() as readonly KubernetesObject[] as readonly GatewayService[];
}
