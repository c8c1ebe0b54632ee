import { MANAGEMENT_PORT, RUNTIME_CONTAINER, RUNTIME_PORT } from '../api/names.ts';
import type { Snapshot } from './controller-revision.ts';
import { gpuLimits } from './gpu.ts';
import { supplyModel } from './model-supply.ts';
import { runtimeSettings, type EnvironmentVariable } from './runtime-settings.ts';
import { buildVolumeMounts, type VolumeMount } from './volumes.ts';

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly env: readonly EnvironmentVariable[];
  readonly volumeMounts: readonly VolumeMount[];
  readonly [field: string]: unknown;
}

/** Longer than istiod takes to tell proxies of a pod's end (PILOT_DEBOUNCE_MAX, 10 s), so none still sends to it. */
export const DRAIN_SECONDS = 15;

export function buildRuntimeContainer(
  modelDeploymentName: string,
  revision: string,
  snapshot: Snapshot,
): Container {
  const { podShape, runtimeImage } = snapshot;
  const resources = containerResources(podShape);
  return {
    name: RUNTIME_CONTAINER,
    image: runtimeImage,
    imagePullPolicy: 'IfNotPresent',
    env: [...contractEnvironment(modelDeploymentName, revision, snapshot), ...userEnvironment(podShape)],
    ports: [
      { name: 'http', containerPort: RUNTIME_PORT, protocol: 'TCP' },
      { name: 'management', containerPort: MANAGEMENT_PORT, protocol: 'TCP' },
    ],
    ...probes,
    ...(resources !== undefined && { resources }),
    volumeMounts: buildVolumeMounts(snapshot),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    },
    // The runtime says in one sentence why it cannot serve; without that, the log's end has to do.
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'FallbackToLogsOnError',
  };
}

const probes = {
  // An hour for a large model to arrive; how long a rollout waits is `progressDeadline`, not this.
  startupProbe: {
    httpGet: { path: '/readyz', port: 'management' },
    periodSeconds: 1,
    timeoutSeconds: 2,
    failureThreshold: 3600,
  },
  readinessProbe: {
    httpGet: { path: '/readyz', port: 'management' },
    periodSeconds: 1,
    timeoutSeconds: 2,
    failureThreshold: 2,
  },
  // Slow to kill: a pod that is merely busy is worth more than none.
  livenessProbe: {
    httpGet: { path: '/livez', port: 'management' },
    periodSeconds: 10,
    timeoutSeconds: 5,
    failureThreshold: 3,
  },
};

function contractEnvironment(
  modelDeploymentName: string,
  revision: string,
  snapshot: Snapshot,
): readonly EnvironmentVariable[] {
  const { podShape, modelSources = {} } = snapshot;
  const { model, runtime = {} } = podShape;
  const supply = supplyModel(snapshot);
  const ofModel = [
    ['HEADGATE_MODEL_NAME', modelDeploymentName],
    ['HEADGATE_REVISION', revision],
    ['HEADGATE_MODEL_URI', supply.uri],
    ['HEADGATE_MODEL_SHA256', model.sha256],
    ...supply.environment,
  ] as const;
  return [
    ...ofModel.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])),
    ...runtimeSettings(runtime, modelSources),
    { name: 'HEADGATE_DRAIN_SECONDS', value: String(DRAIN_SECONDS) },
  ];
}

function userEnvironment({ podTemplate }: Snapshot['podShape']): readonly EnvironmentVariable[] {
  return podTemplate?.spec?.env ?? [];
}

function containerResources({ resources }: Snapshot['podShape']): Record<string, unknown> | undefined {
  if (resources === undefined) return undefined;
  const limits = { ...amounts(resources.limits), ...gpuLimits(resources.gpu) };
  return { requests: amounts(resources.requests), limits };
}

/** YAML may give an amount as a number; Kubernetes stores text. */
function amounts(given: Readonly<Record<string, string | number>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(given ?? {}).map(([name, amount]) => [name, String(amount)]));
}
