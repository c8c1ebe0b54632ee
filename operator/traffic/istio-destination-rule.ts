import type { ModelDeployment } from '../api/model-deployment.ts';
import { serviceHost } from '../api/names.ts';
import type { KubernetesObject } from '../api/object.ts';
import { childMetadata } from '../resources/child.ts';
import { ISTIO_API_VERSION } from './istio-virtual-service.ts';
import { visibleToGateways } from './istio-visibility.ts';

export interface DestinationRule extends KubernetesObject {
  readonly spec: {
    readonly host: string;
    readonly trafficPolicy: Readonly<Record<string, unknown>>;
    readonly exportTo?: readonly string[];
  };
}

/** The runtime's own default. */
const DEFAULT_QUEUE_DEPTH = 512;
const FEWEST_CONNECTIONS = 10_000;
/** With fewer pods, taking one out costs more than it saves. */
const FEWEST_REPLICAS_FOR_EJECTION = 3;

export function buildDestinationRule(modelDeployment: ModelDeployment, revision: string): DestinationRule {
  const { metadata, spec } = modelDeployment;
  const exportTo = visibleToGateways(modelDeployment);
  return {
    apiVersion: ISTIO_API_VERSION,
    kind: 'DestinationRule',
    metadata: childMetadata(modelDeployment, { name: revision, revision }),
    spec: {
      host: serviceHost(revision, metadata.namespace),
      trafficPolicy: {
        loadBalancer: { simple: 'LEAST_REQUEST' },
        connectionPool: connectionPool(requestLimit(modelDeployment)),
        ...(spec.scaling.minReplicas >= FEWEST_REPLICAS_FOR_EJECTION && { outlierDetection }),
      },
      ...(exportTo !== undefined && { exportTo }),
    },
  };
}

/** Above all queues together: the runtime sheds with 429 and a Retry-After, a proxy could only answer 503. */
function requestLimit({ spec }: ModelDeployment): number {
  const queueDepth = spec.runtime?.queue?.maxDepth ?? DEFAULT_QUEUE_DEPTH;
  return Math.max(FEWEST_CONNECTIONS, 2 * queueDepth * spec.scaling.maxReplicas);
}

function connectionPool(limit: number): Record<string, unknown> {
  return {
    tcp: { maxConnections: limit },
    http: {
      http1MaxPendingRequests: limit,
      http2MaxRequests: limit,
      // Below the 75 s for which the runtime keeps a connection: the side that sends must be the one that closes.
      idleTimeout: '60s',
    },
  };
}

const outlierDetection = {
  // Only answers that no healthy runtime gives: a model's own 500 would take out one pod after the other.
  consecutive5xxErrors: 0,
  consecutiveGatewayErrors: 5,
  interval: '5s',
  baseEjectionTime: '15s',
  maxEjectionPercent: 30,
};
