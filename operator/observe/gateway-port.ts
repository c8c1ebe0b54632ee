import type { KubernetesObject } from '../api/object.ts';

/** What is read of a gateway's pod. */
export interface GatewayPod extends KubernetesObject {
  readonly spec?: {
    readonly containers?: readonly {
      readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
    }[];
  };
  readonly status?: { readonly phase?: string; readonly podIP?: string };
}

/** What is read of a Service in front of it. */
export interface GatewayService extends KubernetesObject {
  readonly spec: {
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly { readonly port: number; readonly targetPort?: number | string }[];
  };
}

/**
 * The port that the proxy listens on for a Gateway's port: the target of the first Service that has that port, and
 * where there is none the number itself, as istiod's resolvePorts has it.
 */
export function listeningPort(port: number, pod: GatewayPod, services: readonly GatewayService[]): number {
  const target = services
    .filter((service) => selects(service, pod))
    .flatMap(({ spec }) => spec.ports ?? [])
    .find((candidate) => candidate.port === port)?.targetPort;
  if (typeof target === 'number') return target;
  return containerPort(pod, target) ?? port;
}

function selects({ metadata, spec }: GatewayService, pod: GatewayPod): boolean {
  const selector = Object.entries(spec.selector ?? {});
  return (
    metadata.namespace === pod.metadata.namespace &&
    selector.length > 0 &&
    selector.every(([label, value]) => pod.metadata.labels?.[label] === value)
  );
}

function containerPort(pod: GatewayPod, name: string | undefined): number | undefined {
  if (name === undefined) return undefined;
  return pod.spec?.containers
    ?.flatMap(({ ports }) => ports ?? [])
    .find((candidate) => candidate.name === name)?.containerPort;
}
