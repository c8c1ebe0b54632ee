import type { ModelDeployment } from '../api/model-deployment.ts';
import type { KubernetesObject } from '../api/object.ts';
import type { RolloutDecision } from '../api/rollout-decision.ts';
import { groupKey, type Cluster } from '../kube/cluster.ts';
import { cachedKinds, type CachedKind } from '../kube/kinds.ts';
import type { Observed, PlatformObservation } from '../plan/observed.ts';
import { routerFor } from '../traffic/index.ts';
import { observeEndpoints } from './endpoints.ts';
import { withoutRefused, type TrafficRefusal } from '../traffic/traffic-refusal.ts';
import type { ModelSources } from '../resources/controller-revision.ts';
import { observeDecisionPolicy } from './decision-policy.ts';
import { observeGateways } from './gateways.ts';
import { observePod, type Pod } from './pods.ts';
import { gatherReports } from './reports.ts';

const ISTIO = 'networking.istio.io/v1';
/** Any of them serves the autoscaler. */
const CUSTOM_METRICS = ['custom.metrics.k8s.io/v1beta2', 'custom.metrics.k8s.io/v1beta1'];

const childKinds: readonly CachedKind[] = cachedKinds.filter(
  (kind) => !['ModelDeployment', 'RolloutDecision', 'Pod'].includes(kind),
);

type Evidence = Pick<Observed, 'reports' | 'gateways' | 'endpoints'>;

const nothingAsked: Evidence = { reports: new Map(), gateways: { proxies: [], missing: [] }, endpoints: {} };

export interface ObserveOptions {
  readonly defaultRuntimeImage: string;
  /** Where gateways may be looked for beside the models' own namespace; undefined: everywhere. */
  readonly gatewayNamespaces?: readonly string[] | undefined;
  readonly refuseTraffic: (modelDeployment: ModelDeployment) => readonly TrafficRefusal[];
  readonly modelSources?: ModelSources | undefined;
  readonly decisionPolicy?: string | undefined;
  /** Whether this pass needs what runtimes and proxies say; asking them costs requests. */
  readonly needsEvidence: (
    modelDeployment: ModelDeployment,
    children: readonly KubernetesObject[],
    platform: PlatformObservation,
  ) => boolean;
}

/** Gathers all that the plan may know about one ModelDeployment's world. */
export async function observe(
  cluster: Cluster,
  modelDeployment: ModelDeployment,
  options: ObserveOptions,
): Promise<Observed> {
  const { defaultRuntimeImage, modelSources, gatewayNamespaces, decisionPolicy } = options;
  const { namespace, name } = modelDeployment.metadata;
  const group = groupKey(namespace, name);
  const children = childKinds.flatMap((kind) => cluster.cachedGroup(kind, group));
  const pods = cluster.cachedGroup('Pod', group) as readonly Pod[];
  const refusedTraffic = options.refuseTraffic(modelDeployment);
  const platform = await observePlatform(cluster);
  const decisions = cluster.cachedGroup('RolloutDecision', group) as readonly RolloutDecision[];
  const [policy, evidence] = await Promise.all([
    observeDecisionPolicy(cluster, decisionPolicy, decisions),
    options.needsEvidence(modelDeployment, children, platform)
      ? gatherEvidence(cluster, withoutRefused(modelDeployment, refusedTraffic), {
          ...{ pods, platform, gatewayNamespaces },
        })
      : nothingAsked,
  ]);
  return {
    children,
    pods: pods.map((pod) => observePod(pod)).filter((pod) => pod !== undefined),
    ...evidence,
    ...{ platform, refusedTraffic, defaultRuntimeImage, decisions, ...policy },
    ...(modelSources !== undefined && { modelSources }),
  };
}

interface Asked extends Pick<ObserveOptions, 'gatewayNamespaces'> {
  readonly pods: readonly Pod[];
  readonly platform: PlatformObservation;
}

async function gatherEvidence(
  cluster: Cluster,
  modelDeployment: ModelDeployment,
  { pods, platform, gatewayNamespaces }: Asked,
): Promise<Evidence> {
  const hasProxies = routerFor(modelDeployment, platform).carrier === 'Proxies';
  const isProven = modelDeployment.status?.routing?.provenAt !== undefined;
  const [reports, gateways, endpoints] = await Promise.all([
    gatherReports(pods),
    hasProxies ? observeGateways(cluster, modelDeployment, gatewayNamespaces) : nothingAsked.gateways,
    hasProxies || isProven ? nothingAsked.endpoints : observeEndpoints(cluster, modelDeployment),
  ]);
  return { reports, gateways, endpoints };
}

async function observePlatform(cluster: Cluster): Promise<PlatformObservation> {
  const [istio, customMetrics] = await Promise.all([
    cluster.serves(ISTIO),
    Promise.all(CUSTOM_METRICS.map((version) => cluster.serves(version))),
  ]);
  return { istio, customMetrics: customMetrics.includes(true) };
}
