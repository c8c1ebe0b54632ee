import { shortHash } from './canonical.ts';
import type { PodShape } from './model-deployment.ts';
import { podShapeOf } from './pod-shape.ts';

export const API_GROUP = 'headgate.dev';
export const API_VERSION = 'headgate.dev/v1alpha1';
export const KIND = 'ModelDeployment';
export const PLURAL = 'modeldeployments';
export const DECISION_KIND = 'RolloutDecision';
export const DECISION_PLURAL = 'rolloutdecisions';
export const FIELD_MANAGER = 'headgate';

export const labels = {
  modelDeployment: 'headgate.dev/model-deployment',
  revision: 'headgate.dev/revision',
  managedBy: 'app.kubernetes.io/managed-by',
} as const;
const MANAGED_BY = 'headgate';

export const annotations = {
  /** The hash of what we applied last: a field that we no longer want is noticed by it. */
  applied: 'headgate.dev/applied',
  /** RFC 3339, on a ControllerRevision: the stable revision is the one with the latest. */
  promotedAt: 'headgate.dev/promoted-at',
  /** JSON {reason, message, at}, on a ControllerRevision that was given up. */
  aborted: 'headgate.dev/aborted',
  /** On the entry Service where no mesh is: the revisions that are known to it with weight 0, with commas. */
  staged: 'headgate.dev/staged',
} as const;

export const headers = {
  /** On requests: the hash of the routing that a proxy followed, evidence from the data plane. */
  routing: 'x-headgate-routing',
  /** On requests: the revision that a proxy chose; a runtime that reads another one than its own has got a copy. */
  destination: 'x-headgate-destination',
  /** On answers: the revision that answered. */
  revision: 'x-headgate-revision',
} as const;

/** Istio's word for all sidecars. */
export const MESH_GATEWAY = 'mesh';
export const SERVICE_PORT = 80;
export const RUNTIME_PORT = 8080;
/** Of pods and of Services alike. */
export const GRPC_PORT = 8081;
export const MANAGEMENT_PORT = 8082;
export const RUNTIME_CONTAINER = 'runtime';
/** The gauge of each runtime pod that its autoscaler follows. */
export const LATENCY_METRIC = 'inference_latency_p95_ms';
/** Where a claim or an image with the model is mounted. */
export const MODEL_MOUNT = '/mnt/model';
export const CREDENTIALS_FOLDER = '/etc/headgate/credentials';
export const IDENTITY_FOLDER = '/var/run/secrets/headgate.dev/identity';
export const MANAGEMENT_TOKEN_FOLDER = '/etc/headgate/management';
export const DOWNLOAD_FOLDER = '/var/lib/headgate';
/** Where the Secrets of a Redis are mounted, those of each use in a folder of its own. */
export const REDIS_FOLDER = '/etc/headgate/redis';
/** Where a claim for records is mounted. */
export const RECORDS_MOUNT = '/mnt/records';

/** The name of a revision and of each of its children; of a whole spec, only what shapes pods counts. */
export function revisionName(modelDeploymentName: string, podShape: PodShape): string {
  return `${modelDeploymentName}-${shortHash(podShapeOf(podShape))}`;
}

export function entryServiceName(modelDeploymentName: string): string {
  return modelDeploymentName;
}

/** The routes for traffic that arrives through gateways. */
export function gatewayVirtualServiceName(modelDeploymentName: string): string {
  return modelDeploymentName;
}

/** The routes for traffic of sidecars; its dot keeps it apart from any ModelDeployment's own name. */
export function meshVirtualServiceName(modelDeploymentName: string): string {
  return `${modelDeploymentName}.mesh`;
}

/** The name that proxies know a Service by. */
export function serviceHost(serviceName: string, namespace: string): string {
  return `${serviceName}.${namespace}.svc.cluster.local`;
}

/** The path below a prefix at which proxies answer with the hash of the routing that they hold. */
export function probePath(pathPrefix: string): string {
  return `${pathPrefix === '/' ? '' : pathPrefix}/.headgate/routing`;
}

/** What `headers.destination` says of a request that asked for this revision itself: it is a tester's, not a user's. */
export function previewDestination(revision: string): string {
  return `${revision};preview`;
}

export function labelsOf(modelDeploymentName: string, revision?: string): Record<string, string> {
  return {
    [labels.managedBy]: MANAGED_BY,
    [labels.modelDeployment]: modelDeploymentName,
    ...(revision === undefined ? {} : { [labels.revision]: revision }),
  };
}
