import type { ModelDeployment } from '../api/model-deployment.ts';
import { holderOf, type HostClaim } from './host-claims.ts';
import { isAllowed, type TrafficPolicy } from './traffic-policy.ts';

export type TrafficRefusalReason = 'HostConflict' | 'HostNotAllowed';

/** A host or gateway of the spec that is not served, while all the others are. */
export interface TrafficRefusal {
  readonly kind: 'Host' | 'Gateway';
  readonly name: string;
  readonly reason: TrafficRefusalReason;
  readonly message: string;
}

/** What of a claim is refused: by the platform first, then because somebody else has it. */
export function refusalsOf(
  claim: HostClaim,
  policy: TrafficPolicy,
  rivals: readonly HostClaim[],
): readonly TrafficRefusal[] {
  const forbidden = forbiddenOf(claim, policy);
  const allowed = without(claim, forbidden);
  // Who is not allowed a host himself must not be able to keep it from others.
  const serious = rivals.map((rival) => without(rival, forbiddenOf(rival, policy)));
  return [...forbidden, ...allowed.hosts.flatMap((host) => conflictOf(allowed, host, serious))];
}

/** A gateway goes where it may carry none of the hosts; then a host that one of the remaining gateways may not carry. */
function forbiddenOf(claim: HostClaim, policy: TrafficPolicy): readonly TrafficRefusal[] {
  const { namespace, hosts, gateways } = claim;
  const isOpen = (gateway: string, host: string): boolean => isAllowed(policy, { namespace, gateway, host });
  const open = gateways.filter((gateway) => hosts.some((host) => isOpen(gateway, host)));
  const closed = gateways.filter((gateway) => !open.includes(gateway));
  return [
    ...closed.map((gateway) => gatewayNotAllowed(claim, gateway)),
    ...hosts.flatMap((host) => {
      const barrier = open.find((gateway) => !isOpen(gateway, host));
      return barrier === undefined ? [] : [hostNotAllowed(claim, host, barrier)];
    }),
  ];
}

const REMEDY =
  'ask for it in the value trafficPolicy of the chart of Headgate, or take it out of spec.traffic';

function gatewayNotAllowed({ namespace, hosts }: HostClaim, name: string): TrafficRefusal {
  return {
    ...{ kind: 'Gateway', name, reason: 'HostNotAllowed' },
    message: `Gateway ${name} is left out: the platform does not allow namespace ${namespace} to serve ${hosts.join(', ')} through it; ${REMEDY}`,
  };
}

function hostNotAllowed({ namespace }: HostClaim, name: string, gateway: string): TrafficRefusal {
  return {
    ...{ kind: 'Host', name, reason: 'HostNotAllowed' },
    message: `Host ${name} is left out: the platform does not allow namespace ${namespace} to serve it through gateway ${gateway}; ${REMEDY}`,
  };
}

function conflictOf(claim: HostClaim, name: string, rivals: readonly HostClaim[]): readonly TrafficRefusal[] {
  const holder = holderOf(claim, name, rivals);
  if (holder === undefined) return [];
  const { namespace, name: other, hosts, pathPrefix } = holder;
  return [
    {
      ...{ kind: 'Host', name, reason: 'HostConflict' },
      message: `Host ${name} is left out: ModelDeployment ${namespace}/${other} serves ${hosts.join(', ')} at ${pathPrefix} on the same gateway, which takes in requests for ${claim.pathPrefix}; choose another host or pathPrefix; this goes on by itself when the other one is gone`,
    },
  ];
}

function without(claim: HostClaim, refusals: readonly TrafficRefusal[]): HostClaim {
  return {
    ...claim,
    hosts: claim.hosts.filter(isLeft('Host', refusals)),
    gateways: claim.gateways.filter(isLeft('Gateway', refusals)),
  };
}

function isLeft(
  kind: TrafficRefusal['kind'],
  refusals: readonly TrafficRefusal[],
): (name: string) => boolean {
  const refused = new Set(refusals.filter((refusal) => refusal.kind === kind).map(({ name }) => name));
  return (name) => !refused.has(name);
}

/** The ModelDeployment as it is served: hosts and gateways that are refused are not in it. */
export function withoutRefused(
  modelDeployment: ModelDeployment,
  refusals: readonly TrafficRefusal[],
): ModelDeployment {
  if (refusals.length === 0) return modelDeployment;
  const { spec } = modelDeployment;
  const { hosts = [], gateways = [], ...rest } = spec.traffic;
  const left = {
    hosts: hosts.filter(isLeft('Host', refusals)),
    gateways: gateways.filter(isLeft('Gateway', refusals)),
  };
  const isAnyLeft = left.hosts.length > 0 && left.gateways.length > 0;
  const isPreviewed = isAnyLeft ? isLeft('Host', refusals) : () => false;
  return {
    ...modelDeployment,
    spec: {
      ...spec,
      traffic: { ...rest, ...(isAnyLeft && left) },
      rollout: withPreviewHost(spec.rollout, isPreviewed),
    },
  };
}

type Rollout = ModelDeployment['spec']['rollout'];

function withPreviewHost(rollout: Rollout, isServed: (host: string) => boolean): Rollout {
  const { blueGreen } = rollout;
  if (blueGreen?.preview?.host === undefined || isServed(blueGreen.preview.host)) return rollout;
  const { preview, ...others } = blueGreen;
  const header = preview.header && { preview: { header: preview.header } };
  return { ...rollout, blueGreen: { ...others, ...header } };
}
