import type { KubernetesObject, ObjectVersion } from '../api/object.ts';
import { buildAutoscaler } from '../resources/autoscaler.ts';
import { buildControllerRevision, type Marks } from '../resources/controller-revision.ts';
import { buildDeployment } from '../resources/deployment.ts';
import { appliedHash, needsApply, withAppliedHash } from '../resources/difference.ts';
import { buildDisruptionBudget } from '../resources/disruption-budget.ts';
import { buildEntryService, buildRevisionService } from '../resources/service.ts';
import type { Routing } from '../traffic/routing.ts';
import type { Action } from './action.ts';
import { autoscalerSettings } from './autoscaling.ts';
import type { Course } from './course.ts';
import type { Facts, RevisionFacts } from './facts.ts';
import { forgettable } from './revision-history.ts';

/** What is needed by nobody any more. */
export interface Leaving {
  readonly retired: readonly RevisionFacts[];
  readonly policies: readonly KubernetesObject[];
}

/**
 * Every write of this pass, in order. First the mark from which the rest follows, so that a crash after it changes
 * nothing (I10); then routes, which take traffic off a broken revision and reference only what exists already; then
 * what the kept revisions need; last what nobody needs any more.
 */
export function planWrites(
  facts: Facts,
  course: Course,
  routing: Routing | undefined,
  { retired, policies }: Leaving,
): readonly Action[] {
  if (course.phase === 'Deleting') return [];
  const kept = [...facts.revisions.values()].filter(({ name }) => course.shares.has(name));
  const records = recorded(facts, course).flatMap((revision) => recordOf(facts, revision, course));
  return [
    ...records,
    ...routes(facts, routing),
    ...kept.flatMap((revision) => revisionObjects(facts, course, revision)),
    ...entryService(facts),
    ...(course.ending === undefined ? [] : endPods(course.ending)),
    ...retired.flatMap((revision) => leave(facts, revision, records)),
    ...policies.flatMap(remove),
    ...forgettable(facts, routing)
      .flatMap(({ objects }) => objects.get('ControllerRevision') ?? [])
      .flatMap(remove),
  ];
}

/** Those that are kept, and those that are not but whose marks change: a candidate that is given up. */
function recorded(facts: Facts, { shares, mark }: Course): readonly RevisionFacts[] {
  const decided = new Set(facts.modelDeployment.status?.pendingMarks?.map(({ revision }) => revision));
  return [...facts.revisions.values()].filter(
    (revision) => shares.has(revision.name) || revision === mark?.revision || decided.has(revision.name),
  );
}

function recordOf(facts: Facts, revision: RevisionFacts, { mark }: Course): readonly Action[] {
  const marks = mark?.revision === revision ? mark.marks : revision.marks;
  return applyWhenDifferent(revision.objects.get('ControllerRevision'), recordWith(facts, revision, marks));
}

function recordWith(
  { modelDeployment }: Facts,
  { name, number, snapshot }: RevisionFacts,
  marks: Marks,
): KubernetesObject {
  return buildControllerRevision(modelDeployment, { name, number, snapshot, marks });
}

function routes(
  { modelDeployment, observed, router }: Facts,
  routing: Routing | undefined,
): readonly Action[] {
  if (routing === undefined) return [];
  const applied = router
    .render(modelDeployment, routing)
    .objects.flatMap((desired) => applyWhenDifferent(liveOf(observed.children, desired), desired));
  return [...applied, ...router.obsolete(observed.children, modelDeployment).flatMap(remove)];
}

function liveOf(
  children: readonly KubernetesObject[],
  desired: KubernetesObject,
): KubernetesObject | undefined {
  return children.find(
    ({ kind, metadata }) => kind === desired.kind && metadata.name === desired.metadata.name,
  );
}

function revisionObjects(facts: Facts, course: Course, revision: RevisionFacts): readonly Action[] {
  const { modelDeployment } = facts;
  const { name, objects } = revision;
  const service = buildRevisionService(modelDeployment, name);
  const budget = buildDisruptionBudget(modelDeployment, name);
  const autoscaler = buildAutoscaler(modelDeployment, name, autoscalerSettings(facts, course, revision));
  return [
    ...applyWhenDifferent(objects.get('Service'), service),
    ...destinationPolicy(facts, revision),
    ...(mustWait(course, revision) ? [] : deployment(facts, revision)),
    ...applyWhenDifferent(objects.get('PodDisruptionBudget'), budget),
    ...applyWhenDifferent(objects.get('HorizontalPodAutoscaler'), autoscaler),
  ];
}

function destinationPolicy(
  { modelDeployment, observed, router }: Facts,
  { name }: RevisionFacts,
): readonly Action[] {
  return router
    .policiesFor(modelDeployment, name)
    .flatMap((desired) => applyWhenDifferent(liveOf(observed.children, desired), desired));
}

/** There is room for one revision only: the pods of the next are made when the last one of it is gone. */
function mustWait({ ending }: Course, revision: RevisionFacts): boolean {
  return ending !== undefined && ending !== revision && isRunning(ending);
}

/**
 * A revision never changes, so its Deployment is written once. One that another release of the operator has built is
 * left as it is, because writing it anew could restart every pod; hand edits of one that this release built are undone.
 */
function deployment(
  { modelDeployment }: Facts,
  { name, objects, snapshot }: RevisionFacts,
): readonly Action[] {
  const live = objects.get('Deployment');
  const desired = buildDeployment(modelDeployment, name, snapshot);
  if (live !== undefined && appliedHash(live) !== appliedHash(withAppliedHash(desired))) return [];
  return applyWhenDifferent(live, desired);
}

/** Who is without a proxy goes to the stable; where there are none at all, this Service is among the routes. */
function entryService({ modelDeployment, observed, router, stable }: Facts): readonly Action[] {
  if (stable === undefined || router.carrier === 'EntryService') return [];
  const desired = buildEntryService(modelDeployment, stable.name);
  return applyWhenDifferent(liveOf(observed.children, desired), desired);
}

/**
 * Only its record says that a revision is not the stable one, and this pass may have begun with an old world, from
 * before somebody has promoted it. So the record is applied as it was seen, unless this pass has done so already: that
 * changes nothing, and it is refused when the record is another by now (I13).
 */
function leave(facts: Facts, revision: RevisionFacts, records: readonly Action[]): readonly Action[] {
  const removals = retire(revision);
  const live = revision.objects.get('ControllerRevision');
  const isWritten = records.some(
    (action) => action.kind === 'Apply' && action.object.metadata.name === revision.name,
  );
  return removals.length === 0 || live === undefined || isWritten
    ? removals
    : [applyOver(live, recordWith(facts, revision, revision.marks)), ...removals];
}

/** Pods first, by way of their Deployment; what makes them reachable only when the last of them is gone (I3). */
function retire(revision: RevisionFacts): readonly Action[] {
  return isRunning(revision)
    ? endPods(revision)
    : removeKinds(revision, ['HorizontalPodAutoscaler', 'Service', 'DestinationRule', 'PodDisruptionBudget']);
}

function isRunning({ objects, pods }: RevisionFacts): boolean {
  return objects.has('Deployment') || pods.length > 0;
}

function endPods(revision: RevisionFacts): readonly Action[] {
  return removeKinds(revision, ['HorizontalPodAutoscaler', 'Deployment']);
}

function removeKinds({ objects }: RevisionFacts, kinds: readonly string[]): readonly Action[] {
  return kinds.flatMap((kind) => objects.get(kind) ?? []).flatMap(remove);
}

function applyWhenDifferent(
  live: KubernetesObject | undefined,
  desired: KubernetesObject,
): readonly Action[] {
  // An object on its way out cannot be mended; it is made again when it is gone.
  if (live?.metadata.deletionTimestamp !== undefined || !needsApply(live, desired)) return [];
  return [
    live === undefined ? { kind: 'Apply', object: withAppliedHash(desired) } : applyOver(live, desired),
  ];
}

function applyOver(live: KubernetesObject, desired: KubernetesObject): Action {
  return { kind: 'Apply', object: withAppliedHash(desired), expected: versionOf(live) };
}

function remove(live: KubernetesObject): readonly Action[] {
  const { apiVersion, kind, metadata } = live;
  const { namespace = '', name, deletionTimestamp } = metadata;
  if (deletionTimestamp !== undefined) return [];
  return [{ kind: 'Delete', reference: { apiVersion, kind, namespace, name, ...versionOf(live) } }];
}

function versionOf({ metadata: { uid, resourceVersion } }: KubernetesObject): ObjectVersion {
  return { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) };
}
