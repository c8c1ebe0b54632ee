import type { ModelDeployment } from '../api/model-deployment.ts';
import { gatewayVirtualServiceName, probePath } from '../api/names.ts';
import type { KubernetesObject } from '../api/object.ts';
import type { Change } from '../controller/object-store.ts';
import { groupKey, type Cluster } from '../kube/cluster.ts';
import { filedUnder, hostClaimOf, looksUnder, type HostClaim } from '../traffic/host-claims.ts';
import type { TrafficPolicy } from '../traffic/traffic-policy.ts';
import { refusalsOf, type TrafficRefusal } from '../traffic/traffic-refusal.ts';

/**
 * What all ModelDeployments want of gateways, filed so that each finds the few that it could meet among thousands.
 * Where only one namespace is watched, only its own are known.
 */
export class TrafficClaims {
  private readonly cluster: Pick<Cluster, 'cached'>;
  private readonly policy: TrafficPolicy;
  private readonly files = new Map<string, Set<string>>();

  constructor(cluster: Pick<Cluster, 'cached'>, policy: TrafficPolicy) {
    this.cluster = cluster;
    this.policy = policy;
  }

  /** Takes in a change of a ModelDeployment, and names those that it may concern beside itself. */
  update({ type, object, previous }: Change): ReadonlySet<string> {
    const before = claimOf(previous ?? (type === 'Deleted' ? object : undefined));
    const after = type === 'Deleted' ? undefined : claimOf(object);
    if (isSameClaim(before, after)) return new Set();
    const own = groupKey(object.metadata.namespace ?? '', object.metadata.name);
    const concerned = new Set([...this.met(before), ...this.met(after)]);
    if (before !== undefined) this.unfile(before, own);
    if (after !== undefined) this.file(after, own);
    concerned.delete(own);
    return concerned;
  }

  refusalsOf(modelDeployment: ModelDeployment): readonly TrafficRefusal[] {
    const claim = this.withHeld(modelDeployment);
    if (claim === undefined) return [];
    const own = groupKey(claim.namespace, claim.name);
    const rivals = [...this.met(claim)]
      .filter((key) => key !== own)
      .map((key) => this.claimNamed(key))
      .filter((rival) => rival !== undefined);
    return refusalsOf(claim, this.policy, rivals);
  }

  private claimNamed(key: string): HostClaim | undefined {
    const [namespace = '', name = ''] = key.split('/');
    const rival = this.cluster.cached('ModelDeployment', namespace, name);
    return rival && this.withHeld(rival as ModelDeployment);
  }

  private withHeld(modelDeployment: ModelDeployment): HostClaim | undefined {
    const { namespace, name } = modelDeployment.metadata;
    const live = this.cluster.cached('VirtualService', namespace, gatewayVirtualServiceName(name));
    return hostClaimOf(modelDeployment, heldHosts(live, modelDeployment));
  }

  private met(claim: HostClaim | undefined): ReadonlySet<string> {
    const keys = claim === undefined ? [] : looksUnder(claim);
    return new Set(keys.flatMap((key) => [...(this.files.get(key) ?? [])]));
  }

  private file(claim: HostClaim, own: string): void {
    for (const key of filedUnder(claim)) {
      this.files.set(key, (this.files.get(key) ?? new Set<string>()).add(own));
    }
  }

  private unfile(claim: HostClaim, own: string): void {
    for (const key of filedUnder(claim)) {
      const members = this.files.get(key);
      members?.delete(own);
      if (members?.size === 0) this.files.delete(key);
    }
  }
}

function claimOf(object: KubernetesObject | undefined): HostClaim | undefined {
  return object === undefined ? undefined : hostClaimOf(object as ModelDeployment);
}

function isSameClaim(left: HostClaim | undefined, right: HostClaim | undefined): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}

interface LiveRoutes extends KubernetesObject {
  readonly spec?: {
    readonly hosts?: readonly string[];
    readonly http?: readonly { readonly match?: readonly { readonly uri?: { readonly exact?: string } }[] }[];
  };
}

/** The hosts of live routes that answer the probe of this very prefix. */
function heldHosts(live: LiveRoutes | undefined, { spec }: ModelDeployment): readonly string[] {
  const probe = probePath(spec.traffic.pathPrefix);
  const isAtPrefix = live?.spec?.http?.some((route) => route.match?.some(({ uri }) => uri?.exact === probe));
  return isAtPrefix === true ? (live?.spec?.hosts ?? []) : [];
}
