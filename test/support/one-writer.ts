/** A write that the API server has carried out, by one replica of the operator. */
export interface LandedWrite {
  /** Kind, namespace, name and uid: one life of one object. */
  readonly object: string;
  readonly writer: string;
  /** The version that it made; a deletion makes none. */
  readonly version?: bigint;
  readonly receivedMs: number;
  readonly answeredMs: number;
}

/** The Lease has passed to this replica, by the write that made this version. */
export interface Election {
  readonly leader: string;
  readonly version: bigint;
  readonly answeredMs: number;
}

/** A write of an ex-leader that landed on an object after its successor had written it (I9). */
export interface Overruling {
  readonly write: LandedWrite;
  readonly over: LandedWrite;
}

/**
 * The ruler for I9. All versions come from one counter, so that writes of objects and of the Lease have one order; a
 * deletion, which has no version, counts as later only where it was received after the other was answered.
 */
export function overrulings(
  writes: readonly LandedWrite[],
  elections: readonly Election[],
): readonly Overruling[] {
  const inOrder = elections.toSorted(byVersion);
  const found: Overruling[] = [];
  for (const ofObject of byObject(writes)) {
    // Once for each write: a campaign has thousands on one object, and a thousand elections.
    const terms = ofObject.map((write) => termOf(write, inOrder));
    for (const [index, write] of ofObject.entries()) {
      const term = terms[index] ?? -1;
      const over = ofObject.find((other, place) => (terms[place] ?? -1) > term && isLater(write, other));
      if (over !== undefined) found.push({ write, over });
    }
  }
  return found;
}

/** Writes that landed when another led already, be it on what nobody else has written. */
export function lateWrites(
  writes: readonly LandedWrite[],
  elections: readonly Election[],
): readonly LandedWrite[] {
  const inOrder = elections.toSorted(byVersion);
  return writes.filter((write) => inOrder.findLast(hadBegunBefore(write))?.leader !== write.writer);
}

/** The number of the writer's last term that had begun; -1 for who was never elected. */
function termOf(write: LandedWrite, elections: readonly Election[]): number {
  const hadBegun = hadBegunBefore(write);
  return elections.findLastIndex((election) => election.leader === write.writer && hadBegun(election));
}

function hadBegunBefore({ version, receivedMs }: LandedWrite): (election: Election) => boolean {
  return (election) =>
    version === undefined ? election.answeredMs < receivedMs : election.version < version;
}

function isLater(write: LandedWrite, other: LandedWrite): boolean {
  return write.version === undefined || other.version === undefined
    ? write.receivedMs > other.answeredMs
    : write.version > other.version;
}

function byObject(writes: readonly LandedWrite[]): readonly (readonly LandedWrite[])[] {
  const groups = new Map<string, LandedWrite[]>();
  for (const write of writes) {
    const group = groups.get(write.object) ?? [];
    group.push(write);
    groups.set(write.object, group);
  }
  return [...groups.values()];
}

function byVersion(left: Election, right: Election): number {
  return left.version < right.version ? -1 : Number(left.version > right.version);
}
