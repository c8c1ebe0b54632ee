import type { ModelDeployment } from '../../operator/api/model-deployment.ts';
import { DECISION_KIND } from '../../operator/api/names.ts';
import { answersWithoutModel, type Answer as Telling } from '../../operator/decisions/answers.ts';
import { nameTaken, refusedStatus } from '../../operator/status/refusal.ts';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { plan } from '../../operator/plan/plan.ts';
import { execute, patchStatus, same, type Answer, type Writer } from './api-server.ts';
import { cachedDecisions } from './decisions.ts';
import { hurtRevision } from './cluster.ts';
import { isRecreating, stableRevision } from './invariants/invariant.ts';
import { observe } from './observation.ts';
import { cached, MODEL_DEPLOYMENT_KEY, type OperatorState, type Pass, type World } from './world.ts';

/** A failed pass is tried again after a while, without anything having changed. */
const RETRY_MS = 1_000;
/** No event tells that a name has become free (operator/reconcile). */
const LOOK_FOR_NAME_MS = 30_000;

export const IDLE: OperatorState = { pass: undefined, dirty: true, dueMs: undefined };

/** Whether production's queue would start a pass now. */
export function isTriggered({ operator, nowMs }: World): boolean {
  return operator.dirty || (operator.dueMs !== undefined && operator.dueMs <= nowMs);
}

/** Looks at the world and plans; what is decided is carried out one action at a time by `actOnce`. */
export function beginPass(world: World): World {
  if (world.operator.pass !== undefined) return world;
  const modelDeployment = cached(world, MODEL_DEPLOYMENT_KEY) as ModelDeployment | undefined;
  if (modelDeployment === undefined) return answerWithoutModel(world);
  const { actions, status, answers, requeueAfterMs } = plan(
    modelDeployment,
    observe(world, modelDeployment),
    world.nowMs,
  );
  const pass: Pass = {
    ...{ seen: world, actions, next: 0, status, answers, taken: undefined, requeueAfterMs },
    statusChanged: !same(withoutLatency(modelDeployment.status), withoutLatency(status)),
    observedResourceVersion: modelDeployment.metadata.resourceVersion ?? '',
  };
  return { ...world, operator: { pass, dirty: false, dueMs: undefined } };
}

/** Decisions outlive what they were about, and are answered all the same (operator/reconcile). */
function answerWithoutModel(world: World): World {
  const answers = answersWithoutModel(cachedDecisions(world), world.nowMs);
  if (answers.length === 0) return { ...world, operator: { ...IDLE, dirty: false } };
  const pass: Pass = {
    ...{ seen: world, actions: [], next: 0, status: undefined, statusChanged: false, answers },
    ...{ observedResourceVersion: '', taken: undefined, requeueAfterMs: undefined },
  };
  return { ...world, operator: { pass, dirty: false, dueMs: undefined } };
}

/** A latency alone is not written (operator/execute). */
export function withoutLatency(status: ModelDeployment['status']): unknown {
  return { ...status, p95: undefined };
}

/** The next action of the pass, its status patch after the last, then its answers; the first failure ends it. */
export function actOnce(world: World): World {
  const pass = presentPass(world);
  if (pass === undefined) return world;
  const answer = write(noticeRoom(world, pass), pass, 'Operator');
  if (answer.kind === 'Refused')
    return answer.reason === 'NameTaken' ? afterTakenName(world, pass) : failed(world);
  const { operator } = answer.world;
  if (pass.next < pass.actions.length + pass.answers.length) {
    return { ...answer.world, operator: { ...operator, pass: { ...pass, next: pass.next + 1 } } };
  }
  const dueMs = pass.requeueAfterMs === undefined ? undefined : world.nowMs + pass.requeueAfterMs;
  return { ...answer.world, operator: { ...operator, pass: undefined, dueMs } };
}

/** Recreate ends the stable before there is another: nobody may count on its pods until they are whole again. */
function noticeRoom(world: World, { actions, next }: Pass): World {
  const action = actions[next];
  const isEnding = action?.kind === 'Delete' && action.reference.kind === 'Deployment' && isRecreating(world);
  return isEnding && action.reference.name === stableRevision(world)
    ? hurtRevision(world, action.reference.name)
    : world;
}

/** The pass, at its end with what a taken name makes of it. */
function presentPass({ operator: { pass }, nowMs }: World): Pass | undefined {
  if (pass?.taken === undefined || pass.next < pass.actions.length) return pass;
  return withTakenName(pass, pass.taken, nowMs);
}

/** It stops only what would take something away (operator/execute). */
function afterTakenName(world: World, pass: Pass): World {
  const object = pass.actions[pass.next];
  const taken = pass.taken ?? (object?.kind === 'Apply' ? object.object : undefined);
  return { ...world, operator: { ...world.operator, pass: { ...pass, taken, next: pass.next + 1 } } };
}

/** What the status says of a pass that has met a taken name, and when its next one looks for that. */
function withTakenName(pass: Pass, taken: KubernetesObject, nowMs: number): Pass {
  const modelDeployment = cached(pass.seen, MODEL_DEPLOYMENT_KEY) as ModelDeployment;
  const status = refusedStatus(modelDeployment, pass.status ?? {}, nameTaken(taken), nowMs);
  const statusChanged = !same(withoutLatency(modelDeployment.status), withoutLatency(status));
  return { ...pass, status, statusChanged, answers: [], requeueAfterMs: LOOK_FOR_NAME_MS };
}

function isSkipped({ taken, actions, next }: Pass): boolean {
  const action = actions[next];
  return taken !== undefined && action !== undefined && action.kind !== 'Apply';
}

function write(world: World, pass: Pass, hears: Writer): Answer {
  const action = pass.actions[pass.next];
  if (isSkipped(pass)) return { kind: 'Done', world };
  if (action !== undefined) return execute(world, action, hears);
  if (pass.next > pass.actions.length) return tellDecider(world, answerOf(pass), hears);
  if (!pass.statusChanged) return { kind: 'Done', world };
  const { status, observedResourceVersion } = pass;
  return patchStatus(world, { key: MODEL_DEPLOYMENT_KEY, status, observedResourceVersion }, hears);
}

/** What is told after the status was written: the first answer comes in the second place behind the actions. */
function answerOf({ answers, actions, next }: Pass): Telling | undefined {
  return answers[next - actions.length - 1];
}

function tellDecider(world: World, telling: Telling | undefined, hears: Writer): Answer {
  if (telling === undefined) return { kind: 'Done', world };
  const { name, resourceVersion = '' } = telling.decision.metadata;
  const key = `${DECISION_KIND}/${name}`;
  const { status } = telling;
  const answer = patchStatus(world, { key, status, observedResourceVersion: resourceVersion }, hears);
  // Nobody waits for the answer to a decision that was deleted (operator/execute).
  return answer.kind === 'Refused' && answer.reason === 'NotFound' ? { kind: 'Done', world } : answer;
}

/** Whether what the operator does next goes to the API server and can fail there; a lost event fails nothing. */
export function willWrite(world: World): boolean {
  const pass = presentPass(world);
  if (pass === undefined || isSkipped(pass)) return false;
  if (pass.next > pass.actions.length) return answerOf(pass) !== undefined;
  const action = pass.actions[pass.next];
  return action === undefined ? pass.statusChanged : action.kind !== 'RecordEvent';
}

/** The API server answers the next write with an error, or not at all, having done it or not. */
export function failOnce(world: World, isDone: boolean): World {
  const pass = presentPass(world);
  if (pass === undefined || !willWrite(world)) return world;
  const answer: Answer = isDone ? write(world, pass, 'Others') : { kind: 'Done', world };
  return failed(answer.kind === 'Done' ? answer.world : world);
}

function failed(world: World): World {
  return {
    ...world,
    operator: { pass: undefined, dirty: world.operator.dirty, dueMs: world.nowMs + RETRY_MS },
  };
}

/** The process dies; its successor lists the world anew. */
export function crash(world: World): World {
  return { ...world, operator: IDLE };
}
