import { KIND, revisionName } from '../../operator/api/names.ts';
import type { ModelDeployment } from '../../operator/api/model-deployment.ts';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { FULL_WEIGHT } from '../../operator/traffic/routing.ts';
import { deployedRevisions, modelUri } from './cluster.ts';
import { unansweredDecisions } from './decisions.ts';
import type { Event } from './environment.ts';
import { fingerprint } from './fingerprint.ts';
import { isPlain, stableRevision, usersRoute, weightIn } from './invariants/invariant.ts';
import { isBroken } from './kubelet.ts';
import { isTriggered } from './operator.ts';
import { advance, ViolationError, wholePass, type Census } from './simulation.ts';
import { strayed, type End } from './ways-out.ts';
import { liveModelDeployment, NAME, readyPodsOf, VERSIONS, type Version, type World } from './world.ts';

const MOST_ROUNDS = 1_500;
const MOST_ROUTE_WRITES = 60;
const SHORTEST_WAIT_MS = 100;
const REST_MS = 20_000;
const LONGEST_DEADLINE_MS = 30_000;

/** What ends every fault that can end: a broken model stays broken, the rest of the world gets well. */
export function healingEvents(world: World): readonly Event[] {
  return [
    {
      kind: 'PlatformBecomes',
      change: {
        istio: world.platform.hasMesh,
        customMetrics: true,
        metricAnswers: true,
        reportsAnswer: true,
        cacheFrozen: false,
        userTraffic: true,
      },
    },
    { kind: 'NamesFreed' },
    { kind: 'CacheCatchesUp' },
    ...world.proxies.map((_, proxy): Event => ({ kind: 'ProxyBecomes', proxy, condition: 'Well' })),
  ];
}

export function heal(world: World, census: Census): World {
  return healingEvents(world).reduce((next, event) => advance(next, event, census), world);
}

/** One round of a fair scheduler: everybody who can move does, the operator when something calls it. */
export function round(world: World, census: Census): World {
  let next = advance(world, { kind: 'ClusterMoves' }, census);
  for (let proxy = 0; proxy < next.proxies.length; proxy += 1) {
    next = advance(next, { kind: 'ProxyLearns', proxy }, census);
  }
  if (isTriggered(next) || next.operator.pass !== undefined) return finishedPass(next, census);
  return next;
}

function finishedPass(world: World, census: Census): World {
  return advance(wholePass(world, census), { kind: 'Tick', ms: SHORTEST_WAIT_MS }, census);
}

/** Where a story has come to rest. */
export interface Rest {
  /** Undefined where the way there meets one that is known. */
  readonly world: World | undefined;
  /** What a user would tell of it: the same for stories that differ only in when the operator died. */
  readonly end: string;
}

/**
 * Rounds until nothing moves and nobody waits for the clock. A rollout that pauses until a decision looks for evidence
 * all the while: it is at rest when nothing has changed for longer than any deadline.
 */
function settle(world: World, census: Census, way: number[]): World | Pick<Rest, 'end'> {
  let next = world;
  let quietSinceMs = world.nowMs;
  for (let rounds = 0; rounds < MOST_ROUNDS; rounds += 1) {
    const end = census.restful.get(fingerprint(next));
    if (end !== undefined) return { end };
    way.push(fingerprint(next));
    const moved = round(next, census);
    if (moved.objects !== next.objects || isEnding(moved)) quietSinceMs = moved.nowMs;
    const waitMs = moved === next ? timeToWaitMs(moved) : 0;
    if (waitMs === undefined || moved.nowMs - quietSinceMs > LONGEST_DEADLINE_MS) return moved;
    next = waitMs > 0 ? advance(moved, { kind: 'Tick', ms: waitMs }, census) : moved;
  }
  throw liveness(next, `after ${MOST_ROUNDS} rounds in a healthy world it still moves: ${phaseOf(next)}`);
}

function isEnding({ pods }: World): boolean {
  return pods.some(({ terminatingSinceMs }) => terminatingSinceMs !== undefined);
}

function timeToWaitMs(world: World): number | undefined {
  const { dueMs } = world.operator;
  if (isTriggered(world)) return 0;
  if (dueMs !== undefined) return Math.max(SHORTEST_WAIT_MS, dueMs - world.nowMs);
  return isEnding(world) ? 1_000 : undefined;
}

/** From here on the world is healthy: it must come to a good rest, and stay at rest (I12, I16). */
export function comesToRest(world: World, census: Census): Rest {
  const way: number[] = [];
  const settled = settle(heal(world, census), census, way);
  census.sawCheck('I12');
  const rest =
    'end' in settled ? { world: undefined, end: settled.end } : { world: settled, end: endOf(settled) };
  if (rest.world !== undefined) checkRest(world, rest.world, census);
  for (const state of way) census.restful.set(state, rest.end);
  checkWayOut(world, rest.end, census);
  return rest;
}

function checkWayOut(world: World, end: string, census: Census): void {
  const { wanted } = world.ledger;
  if (wanted === undefined) return;
  census.sawCheck('I13');
  const message = strayed(world, wanted, JSON.parse(end) as End);
  const name = 'every way out leads where it should';
  if (message !== undefined) throw new ViolationError({ code: 'I13', name, message }, world);
}

function checkRest(before: World, rested: World, census: Census): void {
  const problem = restProblem(rested);
  if (problem !== undefined) throw liveness(rested, problem);
  const routeWrites = rested.ledger.virtualServiceWrites - before.ledger.virtualServiceWrites;
  if (routeWrites > MOST_ROUTE_WRITES)
    throw restless(rested, `${routeWrites} writes of routes on the way to rest`);
  staysAtRest(rested, census);
}

function endOf(world: World): string {
  const { phase, reason, stable, step, weight } = liveModelDeployment(world)?.status ?? {};
  const shares = usersRoute(world).map((share) => `${share.revision}=${share.weight}`);
  return JSON.stringify({ phase, reason, stable, step, weight, shares, runs: deployedRevisions(world) });
}

function liveness(world: World, message: string): ViolationError {
  return new ViolationError({ code: 'I12', name: 'a healthy world leads to a good rest', message }, world);
}

function restless(world: World, message: string): ViolationError {
  return new ViolationError({ code: 'I16', name: 'a world at rest stays at rest', message }, world);
}

/** A look out of turn finds nothing to do, nothing to say and nothing to wait for. */
function staysAtRest(world: World, census: Census): void {
  census.sawCheck('I16');
  const later = advance(world, { kind: 'Tick', ms: REST_MS }, census);
  const planned = advance(later, { kind: 'OperatorPlans' }, census).operator.pass;
  if (planned === undefined) return;
  if (planned.actions.length > 0)
    throw restless(later, `it still wants ${JSON.stringify(planned.actions[0])}`);
  if (planned.statusChanged) throw restless(later, `its status changes to ${JSON.stringify(planned.status)}`);
  const isPaused = planned.status?.phase === 'Paused';
  if (planned.requeueAfterMs !== undefined && !isPaused)
    throw restless(later, `it wants to look again in ${planned.requeueAfterMs} ms`);
}

function phaseOf(world: World): string {
  const status = liveModelDeployment(world)?.status;
  return `${status?.phase ?? 'no phase'} ${status?.reason ?? ''}: ${status?.message ?? ''}`;
}

/** Why this is no good place to rest; undefined when it is one. */
export function restProblem(world: World): string | undefined {
  const [ignored] = unansweredDecisions(world);
  if (ignored !== undefined) return `the decision ${ignored.spec.action} is never answered`;
  const modelDeployment = liveModelDeployment(world);
  if (modelDeployment === undefined || world.ledger.deleted) return orphans(world);
  const unsaid = whatStatusLacks(modelDeployment);
  if (unsaid !== undefined) return unsaid;
  const judge = rests.get(modelDeployment.status?.phase ?? '');
  return judge === undefined ? `it rests in ${phaseOf(world)}` : judge(world, modelDeployment);
}

function whatStatusLacks({ status, metadata }: ModelDeployment): string | undefined {
  if (status?.observedGeneration !== metadata.generation) return 'status speaks of another generation';
  if (status.reason === undefined || status.message === undefined) return 'status gives no reason';
  if (status.pendingMarks !== undefined) return 'what was decided is never recorded on its revision';
  return undefined;
}

function orphans({ pods, objects }: World): string | undefined {
  const left = [...objects].filter(([, { versions }]) => isOwned(versions[0])).map(([key]) => key);
  return pods.length + left.length === 0
    ? undefined
    : `deleted, but ${[...left, ...pods.map(({ name }) => name)].join(', ')} stay`;
}

/** Decisions are the record of who decided what, and outlive what they were about. */
function isOwned(object: KubernetesObject | null | undefined): boolean {
  return object?.kind === KIND || object?.metadata.ownerReferences !== undefined;
}

type Judgement = (world: World, modelDeployment: ModelDeployment) => string | undefined;

const restsByPhase: Readonly<Record<string, Judgement>> = {
  Healthy: (world, { spec, status }) => {
    const desired = revisionName(NAME, spec);
    const serving = status?.revisions?.find(({ name }) => name === desired);
    if (serving?.modelDigest === undefined) return 'Healthy, but status does not name the model';
    if (readyPodsOf(world, desired).length < spec.scaling.minReplicas)
      return 'Healthy with too few ready pods';
    return onlyRuns(world, desired);
  },
  Aborted: (world, { spec }) => {
    const stable = stableRevision(world);
    // A rollback that has failed leaves users on what was to be left.
    if (stable === undefined) return 'Aborted without a stable to go back to';
    if (!world.ledger.aborted.has(revisionName(NAME, spec))) return 'Aborted, but its record does not say so';
    return onlyRuns(world, stable);
  },
  Degraded: (world, { spec }) => {
    return isBroken(desiredBehaviour(world, spec)) || hasBrokenStable(world)
      ? undefined
      : `Degraded though nothing is broken: ${phaseOf(world)}`;
  },
  // Its users are served; that pods are missing for ever is nothing that a rollout could end.
  Progressing: (world, { spec, status }) =>
    (isPlain(world) && isUnsupported(spec)) ||
    (status?.reason === 'WaitingForPods' &&
      stableRevision(world) === revisionName(NAME, spec) &&
      isBroken(desiredBehaviour(world, spec)))
      ? undefined
      : `it rests in ${phaseOf(world)}`,
  Paused: (_world, { spec, status }) =>
    status?.rollout?.paused !== undefined || pausesForEver(spec.rollout)
      ? undefined
      : 'Paused for ever although no step says so',
};

/** What only a mesh can do is waited for. */
export function isUnsupported({ traffic, rollout }: ModelDeployment['spec']): boolean {
  const needsMesh = rollout.strategy === 'Canary' || rollout.strategy === 'Shadow';
  return needsMesh || rollout.blueGreen?.preview !== undefined || traffic.gateways !== undefined;
}

export function pausesForEver({
  strategy,
  canary,
  blueGreen,
  shadow,
}: ModelDeployment['spec']['rollout']): boolean {
  if (strategy === 'BlueGreen') return blueGreen?.autoPromote === undefined;
  if (strategy === 'Shadow') return shadow?.then !== 'Promote';
  return canary?.steps.some(({ pause }) => pause !== undefined && pause.for === undefined) ?? false;
}

const rests = new Map(Object.entries(restsByPhase));

function desiredBehaviour(
  { behaviours }: World,
  spec: ModelDeployment['spec'],
): World['behaviours'][Version] {
  const version = VERSIONS.find((known) => modelUri(known) === spec.model.uri);
  return version === undefined ? 'Good' : behaviours[version];
}

function hasBrokenStable(world: World): boolean {
  const stable = stableRevision(world);
  return stable !== undefined && readyPodsOf(world, stable).length === 0;
}

/** All of the traffic on one revision, and nothing of the others left. */
function onlyRuns(world: World, revision: string): string | undefined {
  const others = deployedRevisions(world).filter((other) => other !== revision);
  if (others.length > 0) return `${others.join(', ')} still runs beside ${revision}`;
  const strangers = world.pods.filter((pod) => pod.revision !== revision);
  if (strangers.length > 0) return `pods of another revision than ${revision} are left`;
  const weight = weightIn(usersRoute(world), revision);
  return weight === FULL_WEIGHT ? undefined : `${revision} has ${weight} of 10000`;
}
