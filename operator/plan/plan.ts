import type { KubernetesObject } from '../api/object.ts';
import type { ModelDeployment, ModelDeploymentStatus } from '../api/model-deployment.ts';
import { labels, revisionName } from '../api/names.ts';
import { readMarks } from '../resources/controller-revision.ts';
import { eventsOf } from '../status/events.ts';
import { buildStatus } from '../status/status.ts';
import { routerFor } from '../traffic/index.ts';
import { withoutRefused } from '../traffic/traffic-refusal.ts';
import { answersOf, type Answer } from '../decisions/answers.ts';
import { hearNext } from '../decisions/decide.ts';
import type { Action } from './action.ts';
import { comesFirst, type Intent } from './comes-first.ts';
import { gatherFacts, type Facts } from './facts.ts';
import { nextRouting } from './next-routing.ts';
import type { Observed, PlatformObservation } from './observed.ts';
import { LOOK_WHILE_ROLLING_MS } from './pace.ts';
import { evaluateProof, type Proof } from './proof.ts';
import { obsoletePolicies, retirable } from './retirement.ts';
import { decideCourse } from './rules.ts';
import { lookForModelMs } from './unnamed-model.ts';
import { planWrites } from './writes.ts';

export interface Plan {
  readonly actions: readonly Action[];
  readonly status: ModelDeploymentStatus;
  /** Written last: until then nobody is told that a decision is in force which no status holds. */
  readonly answers: readonly Answer[];
  /** When to look again although no event may come; undefined when the world is as it should be. */
  readonly requeueAfterMs?: number;
}

/** A write is followed by a look at what it did, because the answer to a write brings no event. */
const LOOK_AFTER_WRITE_MS = 100;

/** Everything that could hurt a user is decided here, over plain data; the simulator runs this very function. */
export function plan(modelDeployment: ModelDeployment, observed: Observed, nowMs: number): Plan {
  const facts = gatherFacts(withoutRefused(modelDeployment, observed.refusedTraffic), observed);
  const proof = evaluateProof(facts, nowMs);
  const intent = intend(facts, proof, nowMs);
  const heard = comesFirst(facts, intent) ? undefined : hearNext(facts, proof, nowMs);
  if (heard === undefined) return goOn(facts, proof, { intent, nowMs });
  const { status, event } = heard;
  const answers = answersOf(observed, status, nowMs);
  return { actions: [{ kind: 'RecordEvent', event }], status, answers, requeueAfterMs: 0 };
}

function intend(facts: Facts, proof: Proof, nowMs: number): Intent {
  const course = decideCourse(facts, proof, nowMs);
  const routing = nextRouting(facts, course, proof);
  const retired = retirable(facts, routing, proof, nowMs).filter(({ name }) => !course.shares.has(name));
  const policies = obsoletePolicies(facts, proof, nowMs);
  return { course, routing, writes: planWrites(facts, course, routing, { retired, policies }) };
}

function goOn(
  facts: Facts,
  proof: Proof,
  { intent, nowMs }: { readonly intent: Intent; readonly nowMs: number },
): Plan {
  const { course, routing, writes } = intent;
  const status = buildStatus({ facts, proof, course, routing, nowMs });
  const lookForModel = lookForModelMs(status, nowMs);
  const looks = [
    ...(lookForModel === undefined ? [] : [lookForModel]),
    ...(course.nextLookMs === undefined ? [] : [course.nextLookMs]),
    ...(writes.length > 0 ? [LOOK_AFTER_WRITE_MS] : []),
    ...(hasObsoletePolicies(facts) ? [LOOK_WHILE_ROLLING_MS] : []),
  ];
  return {
    actions: [...writes, ...eventsOf(facts, course, status)],
    status,
    answers: answersOf(facts.observed, status, nowMs),
    ...(looks.length > 0 && { requeueAfterMs: Math.min(...looks) }),
  };
}

/**
 * Whether this pass has to ask gateways and runtimes. A converged ModelDeployment asks nobody: what was proven stays
 * proven, its model is named, and its pods answer to the kubelet and the autoscaler.
 */
export function needsEvidence(
  modelDeployment: ModelDeployment,
  children: readonly KubernetesObject[],
  platform: PlatformObservation,
  nowMs: number,
): boolean {
  return (
    modelDeployment.status?.rollout !== undefined ||
    lookForModelMs(modelDeployment.status, nowMs) !== undefined ||
    isUnproven(modelDeployment, children, platform) ||
    isToBeTried(modelDeployment, children) ||
    hasLeftovers(modelDeployment, children) ||
    routerFor(modelDeployment, platform).obsoletePolicies(children, modelDeployment).length > 0
  );
}

function hasObsoletePolicies({ router, observed, modelDeployment }: Facts): boolean {
  return router.obsoletePolicies(observed.children, modelDeployment).length > 0;
}

function isUnproven(
  modelDeployment: ModelDeployment,
  children: readonly KubernetesObject[],
  platform: PlatformObservation,
): boolean {
  const askedHash = routerFor(modelDeployment, platform).liveHash(children, modelDeployment);
  const remembered = modelDeployment.status?.routing;
  return askedHash !== undefined && (remembered?.hash !== askedHash || remembered.provenAt === undefined);
}

function isToBeTried(
  { metadata, spec, status }: ModelDeployment,
  children: readonly KubernetesObject[],
): boolean {
  const desired = revisionName(metadata.name, spec);
  if (status?.stable === undefined || status.stable === desired) return false;
  const record = children.find(
    (child) => child.kind === 'ControllerRevision' && child.metadata.name === desired,
  );
  return record === undefined || readMarks(record).aborted === undefined;
}

function hasLeftovers({ status }: ModelDeployment, children: readonly KubernetesObject[]): boolean {
  return children
    .filter(({ kind }) => kind !== 'ControllerRevision')
    .map(({ metadata }) => metadata.labels?.[labels.revision])
    .some((revision) => revision !== undefined && revision !== status?.stable);
}
