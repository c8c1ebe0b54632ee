import type { ModelDeployment, PodShape } from '../api/model-deployment.ts';
import { annotations } from '../api/names.ts';
import type { KubernetesObject } from '../api/object.ts';
import { childMetadata } from './child.ts';

/** Everything that a revision's pods are made of, with what the user left open decided once and for all. */
export interface Snapshot {
  readonly podShape: PodShape;
  readonly runtimeImage: string;
  /** Undefined: nothing but what is usual. */
  readonly modelSources?: ModelSources;
}

/** What the platform has settled about where models come from. */
export interface ModelSources {
  /** Ranges of addresses and names of hosts beyond public ones. */
  readonly allow?: readonly string[];
  /** Whether the nodes can mount images as volumes. */
  readonly imageVolumes?: boolean;
}

/** What became of a revision; kept here, since a lost status must lose nothing. */
export interface Marks {
  /** RFC 3339 */
  readonly promotedAt?: string;
  readonly aborted?: AbortedMark;
}

/** Given up, by the operator or by a decision. */
export interface AbortedMark {
  readonly reason: string;
  readonly message: string;
  readonly at: string;
  /** The revision to go to instead, where somebody has decided to roll back. */
  readonly rollbackTo?: string;
}

export interface ControllerRevision extends KubernetesObject {
  readonly revision: number;
  readonly data: Snapshot;
}

interface RevisionRecord {
  readonly name: string;
  readonly number: number;
  readonly snapshot: Snapshot;
  readonly marks: Marks;
}

export function buildControllerRevision(
  modelDeployment: ModelDeployment,
  { name, number, snapshot, marks }: RevisionRecord,
): ControllerRevision {
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: childMetadata(modelDeployment, {
      name,
      revision: name,
      annotations: {
        ...(marks.promotedAt !== undefined && { [annotations.promotedAt]: marks.promotedAt }),
        ...(marks.aborted !== undefined && { [annotations.aborted]: JSON.stringify(marks.aborted) }),
      },
    }),
    revision: number,
    data: snapshot,
  };
}

/** Throws when the object is none of ours: going on with half a snapshot would roll pods. */
export function readSnapshot(object: KubernetesObject): Snapshot {
  const { data } = object as Partial<ControllerRevision>;
  if (typeof data?.runtimeImage !== 'string' || typeof data.podShape !== 'object') {
    throw new TypeError(`ControllerRevision ${object.metadata.name} holds no snapshot of a revision`);
  }
  return data;
}

/** A mark that somebody damaged by hand still counts as a mark; only its words are lost. */
export function readMarks({ metadata }: KubernetesObject): Marks {
  const promotedAt = metadata.annotations?.[annotations.promotedAt];
  const aborted = metadata.annotations?.[annotations.aborted];
  return {
    ...(promotedAt !== undefined && { promotedAt }),
    ...(aborted !== undefined && { aborted: readAborted(aborted) }),
  };
}

function readAborted(text: string): AbortedMark {
  const unreadable = { reason: 'Aborted', message: text, at: new Date(0).toISOString() };
  try {
    const parsed = JSON.parse(text) as Partial<AbortedMark> | null;
    return { ...unreadable, ...parsed };
  } catch {
    return unreadable;
  }
}
