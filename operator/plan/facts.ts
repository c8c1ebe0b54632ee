import { revisionName } from '../api/names.ts';
import { labels } from '../api/names.ts';
import type { KubernetesObject } from '../api/object.ts';
import type { ModelDeployment, PendingMark } from '../api/model-deployment.ts';
import {
  readMarks,
  readSnapshot,
  type AbortedMark,
  type Marks,
  type Snapshot,
} from '../resources/controller-revision.ts';
import type { Routing } from '../traffic/routing.ts';
import { routerFor, routers } from '../traffic/index.ts';
import type { Router } from '../traffic/router.ts';
import type { Observed, PodObservation } from './observed.ts';

/** One revision as it stands in the world. */
export interface RevisionFacts {
  readonly name: string;
  readonly snapshot: Snapshot;
  /** As its ControllerRevision has them, or as was decided since. */
  readonly marks: Marks;
  /** The `revision` number of its ControllerRevision; a revision not yet recorded gets the next one. */
  readonly number: number;
  readonly objects: ReadonlyMap<string, KubernetesObject>;
  readonly pods: readonly PodObservation[];
  readonly readyPods: number;
}

/** What the rest of the plan reasons about: the world, sorted by revision, with nothing decided yet. */
export interface Facts {
  readonly modelDeployment: ModelDeployment;
  readonly observed: Observed;
  /** Who moves the traffic: the platform may change it from one pass to the next. */
  readonly router: Router;
  readonly revisions: ReadonlyMap<string, RevisionFacts>;
  /** The revision that the spec asks for. */
  readonly desired: RevisionFacts;
  /** The revision promoted last; undefined until one has been. */
  readonly stable: RevisionFacts | undefined;
  /** The revision to go to: the desired one while it is neither the stable nor given up, else where to roll back. */
  readonly candidate: RevisionFacts | undefined;
  /** The routing last asked for, as the router's objects record it. */
  readonly askedRouting: Routing | undefined;
  /** What the objects of any router ask for: one that was in force before may still be followed. */
  readonly liveRoutings: readonly Routing[];
  /** The hash that those objects carry: what the proxies have to answer. */
  readonly askedHash: string | undefined;
}

const NEVER = -Infinity;

export function gatherFacts(modelDeployment: ModelDeployment, observed: Observed): Facts {
  const desiredName = revisionName(modelDeployment.metadata.name, modelDeployment.spec);
  const revisions = revisionsOf(modelDeployment, observed, desiredName);
  const desired = revisions.get(desiredName);
  if (desired === undefined) throw new Error('the desired revision is always among the revisions');
  const stable = latestPromoted([...revisions.values()]);
  const router = routerFor(modelDeployment, observed.platform);
  return {
    modelDeployment,
    observed,
    router,
    revisions,
    desired,
    stable,
    candidate: candidateOf(desired, stable, revisions),
    askedRouting: router.readRouting(observed.children, modelDeployment),
    liveRoutings: Object.values(routers).flatMap(
      (each) => each.readRouting(observed.children, modelDeployment) ?? [],
    ),
    askedHash: router.liveHash(observed.children, modelDeployment),
  };
}

function candidateOf(
  desired: RevisionFacts,
  stable: RevisionFacts | undefined,
  revisions: Facts['revisions'],
): RevisionFacts | undefined {
  const { aborted } = desired.marks;
  const goal = aborted === undefined ? desired : revisions.get(rollbackGoal(aborted, stable) ?? '');
  return goal === stable || goal?.marks.aborted !== undefined ? undefined : goal;
}

/** A rollback is over with the next promotion, be it of its goal or of another: decided once, it is done once. */
function rollbackGoal(
  { rollbackTo, at }: AbortedMark,
  stable: RevisionFacts | undefined,
): string | undefined {
  const promotedAt = stable?.marks.promotedAt;
  const isOver = promotedAt !== undefined && Date.parse(promotedAt) > Date.parse(at);
  return isOver ? undefined : rollbackTo;
}

/** The desired revision and each one that still has a ControllerRevision. */
function revisionsOf(
  modelDeployment: ModelDeployment,
  observed: Observed,
  desiredName: string,
): ReadonlyMap<string, RevisionFacts> {
  const records = new Map(
    observed.children
      .filter(({ kind }) => kind === 'ControllerRevision')
      .map((child) => [child.metadata.name, child]),
  );
  const nextNumber = 1 + Math.max(0, ...[...records.values()].map(revisionNumber));
  const names = [...new Set([...records.keys(), desiredName])].sort();
  return new Map(
    names.map((name) => {
      const record = records.get(name);
      const snapshot = record ? readSnapshot(record) : newSnapshot(modelDeployment, observed);
      const marks = marksOf(name, record, modelDeployment.status?.pendingMarks);
      return [name, revisionFacts(name, { record, snapshot, marks, nextNumber, observed })];
    }),
  );
}

interface RevisionSource {
  readonly record: KubernetesObject | undefined;
  readonly snapshot: Snapshot;
  readonly marks: Marks;
  readonly nextNumber: number;
  readonly observed: Observed;
}

function revisionFacts(
  name: string,
  { record, snapshot, marks, nextNumber, observed }: RevisionSource,
): RevisionFacts {
  const pods = observed.pods.filter(({ revision }) => revision === name);
  const objects = observed.children.filter((child) => child.metadata.labels?.[labels.revision] === name);
  return {
    name,
    snapshot,
    marks,
    number: record ? revisionNumber(record) : nextNumber,
    objects: new Map(objects.map((child) => [child.kind, child])),
    pods,
    readyPods: pods.filter(({ ready }) => ready).length,
  };
}

/** A decision counts from the moment in which status has it, before its mark is written. */
function marksOf(
  name: string,
  record: KubernetesObject | undefined,
  pending: readonly PendingMark[] = [],
): Marks {
  const recorded = record ? readMarks(record) : {};
  const decided = pending.find(({ revision }) => revision === name);
  if (decided === undefined) return recorded;
  const { aborted: _overruled, ...kept } = recorded;
  return { ...kept, ...(decided.aborted !== undefined && { aborted: decided.aborted }) };
}

function newSnapshot({ spec }: ModelDeployment, { defaultRuntimeImage, modelSources }: Observed): Snapshot {
  const { model, runtime, resources, podTemplate } = spec;
  return {
    podShape: {
      model,
      ...(runtime !== undefined && { runtime }),
      ...(resources !== undefined && { resources }),
      ...(podTemplate !== undefined && { podTemplate }),
    },
    runtimeImage: runtime?.image ?? defaultRuntimeImage,
    ...(modelSources !== undefined && { modelSources }),
  };
}

function revisionNumber(record: KubernetesObject): number {
  const { revision } = record as KubernetesObject & { readonly revision?: unknown };
  return typeof revision === 'number' ? revision : 0;
}

export function latestPromoted(revisions: readonly RevisionFacts[]): RevisionFacts | undefined {
  const promotedAtMs = ({ marks }: RevisionFacts): number =>
    marks.promotedAt === undefined ? NEVER : Date.parse(marks.promotedAt);
  return revisions
    .filter(({ marks }) => marks.promotedAt !== undefined)
    .reduce<RevisionFacts | undefined>(
      (latest, revision) =>
        latest === undefined || promotedAtMs(revision) > promotedAtMs(latest) ? revision : latest,
      undefined,
    );
}

/** Pods that still count towards a revision's size: a terminating one is on its way out. */
export function runningPods({ pods }: RevisionFacts): number {
  return pods.filter(({ terminating }) => !terminating).length;
}

/** Revisions that run, or whose pods still end, and that nobody wants any more. */
export function leftovers({ revisions, stable, candidate, desired }: Facts): readonly RevisionFacts[] {
  return [...revisions.values()].filter(
    (revision) =>
      revision !== stable &&
      revision !== candidate &&
      // Before anything was ever promoted, the desired revision is all there is to run.
      (stable !== undefined || revision !== desired) &&
      ([...revision.objects.keys()].some((kind) => kind !== 'ControllerRevision') ||
        revision.pods.length > 0),
  );
}
