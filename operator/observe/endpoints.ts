import { entryServiceName } from '../api/names.ts';
import type { ModelDeployment } from '../api/model-deployment.ts';
import type { KubernetesObject } from '../api/object.ts';
import { messageOf } from '../controller/errors.ts';
import type { Cluster } from '../kube/cluster.ts';
import type { EndpointsObservation } from '../plan/observed.ts';

/** What is read of an EndpointSlice. */
interface EndpointSlice extends KubernetesObject {
  readonly endpoints?: readonly Endpoint[] | null;
}

interface Endpoint {
  /** Left out where Kubernetes does not know, which kube-proxies take for ready. */
  readonly conditions?: { readonly ready?: boolean | null };
  readonly targetRef?: { readonly name?: string };
  readonly addresses: readonly string[];
}

/** The label by which Kubernetes says whose endpoints a slice holds. */
const SERVICE_NAME = 'kubernetes.io/service-name';

/** Whom kube-proxies are told to send the entry Service's clients to. */
export async function observeEndpoints(
  cluster: Cluster,
  { metadata: { name, namespace } }: ModelDeployment,
): Promise<EndpointsObservation> {
  try {
    const selector = `${SERVICE_NAME}=${entryServiceName(name)}`;
    const slices = (await cluster.list('EndpointSlice', namespace, selector)) as readonly EndpointSlice[];
    const ready = slices
      .flatMap(({ endpoints }) => endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false);
    return { pods: [...new Set(ready.map(nameOf))] };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

/** An endpoint that is no pod counts too: traffic goes there. */
function nameOf({ targetRef, addresses }: Endpoint): string {
  return targetRef?.name ?? addresses.join(' ');
}
