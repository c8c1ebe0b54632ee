import type { ModelDeployment } from '../api/model-deployment.ts';
import { labelsOf, MANAGEMENT_PORT } from '../api/names.ts';
import type { KubernetesObject } from '../api/object.ts';
import { childMetadata } from './child.ts';
import { buildRuntimeContainer, DRAIN_SECONDS, type Container } from './container.ts';
import type { Snapshot } from './controller-revision.ts';
import { gpuTolerations, withGpuAffinity } from './gpu.ts';
import { supplyModel } from './model-supply.ts';
import { recordsClaim } from './runtime-mounts.ts';
import { buildVolumes, type Volume } from './volumes.ts';

export interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly strategy: Readonly<Record<string, unknown>>;
    readonly revisionHistoryLimit: number;
    readonly template: {
      readonly metadata: {
        readonly labels: Readonly<Record<string, string>>;
        readonly annotations: Readonly<Record<string, string>>;
      };
      readonly spec: PodSpec;
    };
  };
}

interface PodSpec {
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
  readonly [field: string]: unknown;
}

type PodTemplateSpec = NonNullable<NonNullable<Snapshot['podShape']['podTemplate']>['spec']>;

const RUNTIME_USER = 65_532;
/** Time to drain and to finish what a request may take by default. */
const GRACE_SECONDS = DRAIN_SECONDS + 45;

/**
 * The pods of one revision: a function of its snapshot alone, so that no later edit and no other revision changes them.
 *
 * `replicas` is never part of it. A field that was applied once and is left out later falls back to its default, which
 * would turn 20 pods into 1; and a number written here would fight the autoscaler's (I6). The first size comes from
 * the autoscaler's minReplicas.
 */
export function buildDeployment(
  modelDeployment: ModelDeployment,
  revision: string,
  snapshot: Snapshot,
): Deployment {
  const labels = labelsOf(modelDeployment.metadata.name, revision);
  const { metadata = {} } = snapshot.podShape.podTemplate ?? {};
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: childMetadata(modelDeployment, { name: revision, revision }),
    spec: {
      selector: { matchLabels: labels },
      // A revision's pods are only ever replaced by their like; when they are, no capacity may be missing (I7).
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: '25%' } },
      revisionHistoryLimit: 2,
      template: {
        metadata: {
          labels: { ...metadata.labels, ...labels },
          annotations: { ...defaultAnnotations, ...metadata.annotations },
        },
        spec: podSpec(modelDeployment.metadata.name, revision, snapshot),
      },
    },
  };
}

const defaultAnnotations = {
  'prometheus.io/scrape': 'true',
  'prometheus.io/port': String(MANAGEMENT_PORT),
  'prometheus.io/path': '/metrics',
  // Probes, scrapes and the operator ask from outside the mesh: a sidecar would demand a certificate of them.
  'traffic.sidecar.istio.io/excludeInboundPorts': String(MANAGEMENT_PORT),
};

function podSpec(modelDeploymentName: string, revision: string, snapshot: Snapshot): PodSpec {
  const { podShape } = snapshot;
  const user = podShape.podTemplate?.spec ?? {};
  const { gpu } = podShape.resources ?? {};
  const pullSecrets = [...(user.imagePullSecrets ?? []), ...supplyModel(snapshot).pullSecrets];
  const affinity = withGpuAffinity(user.affinity, gpu);
  const tolerations = [...(user.tolerations ?? []), ...gpuTolerations(gpu)];
  return {
    ...handedOn(user),
    ...(pullSecrets.length > 0 && { imagePullSecrets: pullSecrets }),
    automountServiceAccountToken: false,
    // Else every Service of the namespace would appear in the environment.
    enableServiceLinks: false,
    terminationGracePeriodSeconds: user.terminationGracePeriodSeconds ?? GRACE_SECONDS,
    securityContext: podSecurity(snapshot),
    containers: [buildRuntimeContainer(modelDeploymentName, revision, snapshot)],
    volumes: buildVolumes(snapshot),
    topologySpreadConstraints: topologySpread(user, labelsOf(modelDeploymentName, revision)),
    ...(affinity !== undefined && { affinity }),
    ...(tolerations.length > 0 && { tolerations }),
  };
}

function podSecurity(snapshot: Snapshot): Record<string, unknown> {
  return {
    runAsNonRoot: true,
    runAsUser: RUNTIME_USER,
    runAsGroup: RUNTIME_USER,
    // A new volume belongs to root.
    ...(recordsClaim(snapshot) !== undefined && {
      fsGroup: RUNTIME_USER,
      fsGroupChangePolicy: 'OnRootMismatch',
    }),
    seccompProfile: { type: 'RuntimeDefault' },
  };
}

/** The fields of the user's template that mean in a pod what they mean here. Every other one is merged by name. */
const handedOnFields = [
  'serviceAccountName',
  'nodeSelector',
  'priorityClassName',
  'runtimeClassName',
] as const satisfies readonly (keyof PodTemplateSpec)[];

function handedOn(user: PodTemplateSpec): Record<string, unknown> {
  return Object.fromEntries(
    handedOnFields.filter((field) => user[field] !== undefined).map((field) => [field, user[field]]),
  );
}

/** Softly over hosts unless the user says otherwise: one lost host should not take a revision with it. */
function topologySpread(
  user: PodTemplateSpec,
  labels: Readonly<Record<string, string>>,
): readonly Record<string, unknown>[] {
  const constraints = user.topologySpreadConstraints ?? [
    { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'ScheduleAnyway' as const },
  ];
  return constraints.map((constraint) => ({ ...constraint, labelSelector: { matchLabels: labels } }));
}
