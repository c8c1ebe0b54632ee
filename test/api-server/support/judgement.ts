import { readTrail, type AuditedWrite } from '../../bed/audit-trail.ts';
import {
  lateWrites,
  overrulings,
  type Election,
  type LandedWrite,
  type Overruling,
} from '../../support/one-writer.ts';

/** What the API server's own record says of who wrote when. */
export interface Judgement {
  readonly elections: readonly Election[];
  readonly landed: readonly LandedWrite[];
  readonly overrulings: readonly Overruling[];
  readonly late: readonly LandedWrite[];
  /** Writes that came over a version that was not the present one any more. */
  readonly refused: readonly AuditedWrite[];
}

const USER_AGENT = 'headgate/';

export async function judge(auditLog: string): Promise<Judgement> {
  const [leases, landed, refused]: [AuditedWrite[], LandedWrite[], AuditedWrite[]] = [[], [], []];
  const versions = new Set<bigint>();
  for await (const write of readTrail(auditLog, USER_AGENT)) {
    if (write.status === 409) refused.push(write);
    if (write.status >= 300) continue;
    if (write.resource === 'leases') leases.push(write);
    // A write that changes nothing makes no version.
    else if (write.version === undefined || isFirst(versions, write.version)) landed.push(toLanded(write));
  }
  const elections = electionsOf(leases);
  return {
    ...{ elections, landed, refused },
    overrulings: overrulings(landed, elections),
    late: lateWrites(landed, elections),
  };
}

function isFirst(known: Set<bigint>, version: bigint): boolean {
  const isNew = !known.has(version);
  known.add(version);
  return isNew;
}

export function writerOf({ userAgent }: AuditedWrite): string {
  return userAgent.slice(USER_AGENT.length);
}

function toLanded(write: AuditedWrite): LandedWrite {
  const { resource, namespace, name, uid, version, receivedMs, answeredMs } = write;
  // A status lies in its object.
  const kind = resource.replace(/\/.*/, '');
  return {
    ...{ object: `${kind} ${namespace}/${name} ${uid}`, writer: writerOf(write), receivedMs, answeredMs },
    ...(version !== undefined && { version }),
  };
}

/** Every write of the Lease after which another holds it than before. */
function electionsOf(leases: readonly AuditedWrite[]): readonly Election[] {
  const elections: Election[] = [];
  let holder: string | undefined;
  const inOrder = leases.toSorted((left, right) => Number((left.version ?? 0n) - (right.version ?? 0n)));
  for (const { answer, version = 0n, answeredMs } of inOrder) {
    const { holderIdentity } =
      (answer as { readonly spec?: { readonly holderIdentity?: string } }).spec ?? {};
    const isElected = holderIdentity !== undefined && holderIdentity !== holder;
    if (isElected) elections.push({ leader: holderIdentity, version, answeredMs });
    holder = holderIdentity;
  }
  return elections;
}
