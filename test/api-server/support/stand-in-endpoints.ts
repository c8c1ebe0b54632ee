import { labels } from '../../../operator/api/names.ts';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { objectPath } from '../../../operator/controller/resource-type.ts';
import { resourceType } from '../../../operator/kube/kinds.ts';
import { NAMESPACE, type Installation } from './installation.ts';

interface Service extends KubernetesObject {
  readonly spec: { readonly selector?: Readonly<Record<string, string>> };
}

interface Pod extends KubernetesObject {
  readonly status?: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** Writes the EndpointSlices of entry Services as the controller manager would, which this tier does not have. */
export class StandInEndpoints {
  /** Whether they are written; while they are not, they are as late as they like. */
  isAwake = true;
  private readonly installation: Installation;
  private readonly written = new Map<string, string>();

  constructor(installation: Installation) {
    this.installation = installation;
  }

  async look(pods: readonly KubernetesObject[]): Promise<void> {
    if (!this.isAwake) return;
    const services = (await this.installation.list('Service')) as readonly Service[];
    for (const service of services.filter(isEntry)) await this.write(service, pods);
  }

  private async write({ metadata, spec }: Service, pods: readonly Pod[]): Promise<void> {
    const endpoints = pods.filter((pod) => isSelected(pod, spec.selector ?? {})).flatMap(endpointOf);
    const body = sliceOf(metadata.name, endpoints);
    if (this.written.get(metadata.name) === JSON.stringify(body)) return;
    await this.installation.transport.request({
      ...{ method: 'PATCH', contentType: 'application/apply-patch+yaml', body },
      path: objectPath(resourceType('EndpointSlice'), NAMESPACE, body.metadata.name),
      query: { fieldManager: 'stand-in', force: 'true' },
    });
    this.written.set(metadata.name, JSON.stringify(body));
  }
}

function isEntry({ metadata }: Service): boolean {
  return (
    metadata.labels?.[labels.modelDeployment] !== undefined && metadata.labels[labels.revision] === undefined
  );
}

function isSelected({ metadata }: Pod, selector: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([label, value]) => metadata.labels?.[label] === value);
}

function endpointOf({ metadata, status }: Pod): readonly object[] {
  const { podIP, conditions = [] } = status ?? {};
  if (podIP === undefined) return [];
  const ready = conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  return [
    {
      // The API server takes no loopback addresses here, and nobody sends anything to them.
      addresses: [podIP.replace(/^127[.]/, '10.')],
      conditions: { ready },
      targetRef: { kind: 'Pod', name: metadata.name, namespace: NAMESPACE },
    },
  ];
}

function sliceOf(service: string, endpoints: readonly object[]) {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${service}-stand-in`,
      namespace: NAMESPACE,
      labels: { 'kubernetes.io/service-name': service },
    },
    addressType: 'IPv4',
    endpoints,
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  };
}
