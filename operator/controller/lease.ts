import type { LeaseRecord } from './candidacy.ts';
import type { KubernetesObject } from './object.ts';
import type { ResourceType } from './resource-type.ts';

export const leaseType = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  plural: 'leases',
} as const satisfies ResourceType;

interface Lease extends KubernetesObject {
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number;
    readonly leaseTransitions?: number;
  };
}

export function readLease(object: KubernetesObject): LeaseRecord {
  const { metadata, spec = {} }: Lease = object;
  return {
    resourceVersion: metadata.resourceVersion ?? '',
    // client-go frees a Lease with an empty name.
    holder: spec.holderIdentity === '' ? undefined : (spec.holderIdentity ?? undefined),
    durationMs: (spec.leaseDurationSeconds ?? 0) * 1000,
    transitions: spec.leaseTransitions ?? 0,
  };
}

interface Claim {
  readonly identity: string;
  readonly durationMs: number;
  readonly over: LeaseRecord | undefined;
  readonly nowMs: number;
}

/** The fields of a Lease that is taken or renewed; its times are for people. */
export function claimedSpec({ identity, durationMs, over, nowMs }: Claim): object {
  const now = microTime(nowMs);
  const isRenewal = over?.holder === identity;
  return {
    holderIdentity: identity,
    leaseDurationSeconds: Math.ceil(durationMs / 1000),
    renewTime: now,
    ...(!isRenewal && { acquireTime: now, leaseTransitions: (over?.transitions ?? -1) + 1 }),
  };
}

function microTime(nowMs: number): string {
  return new Date(nowMs).toISOString().replace('Z', '000Z');
}
