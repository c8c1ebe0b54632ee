import type { DecisionAction } from '../../operator/api/rollout-decision.ts';
import type { Event } from './environment.ts';
import { asked, askedWhole, stableRevision, usersRoute } from './invariants/invariant.ts';
import { isTriggered } from './operator.ts';
import { Census } from './simulation.ts';
import { startOf, type Start } from './starts.ts';
import { deployedRevisions } from './cluster.ts';
import { Tale } from './tale.ts';
import type { StrategyChoice } from './user.ts';
import { liveModelDeployment, type World } from './world.ts';

/** A world in which it is worth looking round, and how it came to be. */
export interface Moment {
  readonly name: string;
  readonly start: Start;
  readonly events: readonly Event[];
  readonly world: World;
}

interface Recipe {
  readonly start: Start;
  /** What happens, one after the other: an event, or the usual course until something holds. */
  readonly course: readonly (Event | Condition)[];
}

type Condition = (world: World) => boolean;

/** The usual course of things, one event per turn: whoever can move does so, in turns. */
export function usualEvent(world: World, turn: number): Event {
  if (world.operator.pass !== undefined) return { kind: 'OperatorActs' };
  const proxies = world.proxies.length;
  const place = turn % (proxies + 3);
  if (place < proxies) return { kind: 'ProxyLearns', proxy: place };
  if (place === proxies) return { kind: 'ClusterMoves' };
  if (place === proxies + 1 && isTriggered(world)) return { kind: 'OperatorPlans' };
  return { kind: 'Tick', ms: 100 };
}

const tryV2: Event = { kind: 'UserEdits', edit: { kind: 'Model', version: 'v2' } };
const tryV3: Event = { kind: 'UserEdits', edit: { kind: 'Model', version: 'v3' } };
const pauseForEver: Event = { kind: 'UserEdits', edit: { kind: 'Steps', steps: 'paused' } };
const choosesBlueGreen: Event = { kind: 'UserEdits', edit: { kind: 'Strategy', strategy: 'blueGreen' } };
const choosesShadow: Event = { kind: 'UserEdits', edit: { kind: 'Strategy', strategy: 'shadow' } };
const holdsShadow: Event = { kind: 'UserEdits', edit: { kind: 'Strategy', strategy: 'heldShadow' } };
const choosesStrategy = (strategy: StrategyChoice): Event => ({
  kind: 'UserEdits',
  edit: { kind: 'Strategy', strategy },
});
const rolls = choosesStrategy('rollingUpdate');
const recreates = choosesStrategy('recreate');
const waitsForDecision = choosesStrategy('decidedBlueGreen');
const switchesAtOnce = choosesStrategy('plainBlueGreen');
const goesBack: Event = { kind: 'UserEdits', edit: { kind: 'Model', version: 'v1' } };
const deleteSlowly: Event = { kind: 'UserEdits', edit: { kind: 'Delete', foreground: true } };
const plans: Event = { kind: 'OperatorPlans' };
const grows: Event = { kind: 'AutoscalerMoves', revision: 0, wish: 1 };
const nobodyReports: Event = { kind: 'PlatformBecomes', change: { reportsAnswer: false } };
const clusterMoves: Event = { kind: 'ClusterMoves' };
const v2IsBroken: Event = { kind: 'VersionBecomes', version: 'v2', behaviour: 'ModelInvalid' };
const v3IsBroken: Event = { kind: 'VersionBecomes', version: 'v3', behaviour: 'CrashesBeforeReady' };
const v2NeverGetsReady: Event = { kind: 'VersionBecomes', version: 'v2', behaviour: 'NeverReady' };
const v2Errs: Event = { kind: 'VersionBecomes', version: 'v2', behaviour: 'AnswersWithErrors' };

const joinsMesh: Event = { kind: 'UserEdits', edit: { kind: 'Router', router: 'Automatic' } };
const leavesMesh: Event = { kind: 'UserEdits', edit: { kind: 'Router', router: 'Service' } };
const istioGoesAway: Event = { kind: 'PlatformBecomes', change: { istio: false } };
const v2IsWellAgain: Event = { kind: 'VersionBecomes', version: 'v2', behaviour: 'Good' };

function decides(action: DecisionAction): Event {
  return { kind: 'UserDecides', decision: { action } };
}

function isWrittenByOthers(child: number): Event {
  return { kind: 'ChildWrittenByOthers', child };
}

function becomesDeaf(proxy: number): Event {
  return { kind: 'ProxyBecomes', proxy, condition: 'Deaf' };
}

/** Status says so, in a pass that is over. */
function says(phase: string, reason?: string): Condition {
  return (world) => {
    const status = liveModelDeployment(world)?.status;
    return (
      world.operator.pass === undefined &&
      status?.phase === phase &&
      (reason ?? status.reason) === status.reason
    );
  };
}

/** Some route gives the candidate this much. */
function asks(weight: number): Condition {
  return (world) =>
    asked(world, 'Gateway').some(
      (share) => share.revision !== stableRevision(world) && share.weight === weight,
    );
}

const copies: Condition = (world) => (askedWhole(world, 'Gateway')?.mirrors.length ?? 0) > 0;
const previews: Condition = (world) => (askedWhole(world, 'Gateway')?.previews.length ?? 0) > 0;

const isAtRest: Condition = (world) =>
  !isTriggered(world) && world.operator.pass === undefined && world.operator.dueMs === undefined;

/** The present routes have been at every proxy for so long. */
function isProvenFor(elapsedMs: number): Condition {
  return (world) => {
    const provenAt = liveModelDeployment(world)?.status?.routing?.provenAt;
    return provenAt !== undefined && world.nowMs - Date.parse(provenAt) > elapsedMs;
  };
}

/** The routes were last asked for so long ago, proven or not. */
function isAbout(elapsedMs: number): Condition {
  return (world) => {
    const askedAt = liveModelDeployment(world)?.status?.routing?.askedAt;
    return askedAt !== undefined && world.nowMs - Date.parse(askedAt) > elapsedMs;
  };
}

const isPromoted: Condition = (world) => stableRevision(world) !== undefined;
const runsTwo: Condition = (world) => deployedRevisions(world).length === 2;
const runsNothing: Condition = ({ pods }) => pods.length === 0;
const sendsElsewhere: Condition = (world) =>
  usersRoute(world).some(({ revision, weight }) => weight > 0 && revision !== stableRevision(world));
const runsOne: Condition = (world) => deployedRevisions(world).length === 1 && isAtRest(world);

const recipes: Readonly<Record<string, Recipe>> = {
  'the first revision is awaited': { start: 'created', course: [says('Pending')] },
  'the first revision is awaited without Istio': {
    start: 'created without Istio',
    course: [says('Pending')],
  },
  'the first revision is promoted': { start: 'created', course: [says('Progressing', 'Promoting')] },
  'the first revision is promoted, and a new operator sees it as it was before': {
    start: 'created',
    course: [isPromoted, { kind: 'OperatorDies', seesOldWorld: true }],
  },
  'the first revision is given up': {
    start: 'created',
    course: [{ kind: 'VersionBecomes', version: 'v1', behaviour: 'ModelInvalid' }, says('Degraded')],
  },
  'v1 serves': { start: 'serving v1', course: [says('Healthy')] },
  'the stable is broken': {
    start: 'serving v1',
    course: [{ kind: 'VersionBecomes', version: 'v1', behaviour: 'NeverReady' }, says('Degraded')],
  },
  'others have written into every child': {
    start: 'serving v1',
    course: [...[0, 1, 2, 3, 4, 5, 6, 7, 8].map(isWrittenByOthers), isAtRest, tryV2, asks(500)],
  },
  'the user asks for v2': { start: 'serving v1', course: [tryV2] },
  'pods of v2 are awaited': { start: 'serving v1', course: [tryV2, says('Progressing', 'WaitingForPods')] },
  'v2 is staged': { start: 'serving v1', course: [tryV2, asks(0)] },
  'v2 is staged, a gateway learns nothing': { start: 'serving v1', course: [tryV2, becomesDeaf(0), asks(0)] },
  'v2 is staged, a sidecar learns nothing': { start: 'serving v1', course: [tryV2, becomesDeaf(2), asks(0)] },
  'v2 is to get 5 %': { start: 'serving v1', course: [tryV2, asks(500)] },
  'v2 is to get 50 % of a stable that has grown': {
    start: 'serving v1',
    course: [grows, grows, clusterMoves, clusterMoves, tryV2, asks(5_000)],
  },
  'v2 pauses with 5 %': { start: 'serving v1', course: [tryV2, says('Paused', 'PausedForATime')] },
  'v2 pauses until a decision': {
    start: 'serving v1',
    course: [pauseForEver, isAtRest, tryV2, says('Paused', 'PausedUntilDecision')],
  },
  'v2 is to get 50 %': { start: 'serving v1', course: [tryV2, asks(5_000)] },
  'v2 is to get all': { start: 'serving v1', course: [tryV2, asks(10_000)] },
  'v2 breaks while it serves': {
    start: 'serving v1',
    course: [tryV2, asks(5_000), says('Progressing'), v2NeverGetsReady],
  },
  'v2 is promoted': { start: 'serving v1', course: [tryV2, says('Progressing', 'Promoting')] },
  'v2 serves, v1 drains': { start: 'serving v1', course: [tryV2, says('Healthy'), runsTwo, says('Healthy')] },
  'v2 serves, v1 cannot drain because endpoints are late': {
    start: 'serving v1',
    course: [tryV2, becomesDeaf(3), says('Healthy'), isProvenFor(12_000)],
  },
  'v2 serves': { start: 'serving v1', course: [tryV2, runsTwo, runsOne] },
  'v2 is given up before it served': { start: 'serving v1', course: [v2IsBroken, tryV2, says('Aborted')] },
  'v2 is given up for its errors': { start: 'serving v1', course: [v2Errs, tryV2, says('Aborted')] },
  'v2 was given up': { start: 'serving v1', course: [v2IsBroken, tryV2, says('Aborted'), runsOne] },
  'v3 comes before v2 is through': {
    start: 'serving v1',
    course: [tryV2, says('Paused', 'PausedForATime'), tryV3, says('Progressing', 'WaitingForPods')],
  },
  'v3 comes while v2 has 50 %': {
    start: 'serving v1',
    course: [tryV2, asks(5_000), says('Progressing'), tryV3, says('Progressing', 'WaitingForPods')],
  },
  'v3 comes while v2 has 50 %, a gateway learns nothing': {
    start: 'serving v1',
    course: [tryV2, asks(5_000), says('Progressing'), becomesDeaf(0), tryV3, isAbout(8_000)],
  },
  'v3 is staged while v2 drains': {
    start: 'serving v1',
    course: [tryV2, says('Paused', 'PausedForATime'), tryV3, asks(0), isAbout(2_000)],
  },
  'the user goes back from v2': {
    start: 'serving v1',
    course: [tryV2, says('Paused'), { kind: 'UserEdits', edit: { kind: 'Model', version: 'v1' } }],
  },
  'v2 is in preview': { start: 'serving v1', course: [choosesBlueGreen, tryV2, previews] },
  'users are to switch to v2': { start: 'serving v1', course: [choosesBlueGreen, tryV2, asks(10_000)] },
  'v2 serves, v1 is kept for the way back': {
    start: 'serving v1',
    course: [choosesBlueGreen, tryV2, says('Progressing'), says('Healthy')],
  },
  'users switch back to v1': {
    start: 'serving v1',
    course: [choosesBlueGreen, tryV2, says('Progressing'), says('Healthy'), goesBack, asks(10_000)],
  },
  'v3 comes while users are rolled back to v1': {
    start: 'serving v1',
    course: [
      ...[choosesBlueGreen, tryV2, says('Progressing'), says('Healthy'), decides('Rollback')],
      ...[says('Progressing', 'RoutingUnproven'), tryV3],
    ],
  },
  'v2 works on copies': { start: 'serving v1', course: [choosesShadow, tryV2, copies, says('Paused')] },
  'v2 works on copies until a decision': {
    start: 'serving v1',
    course: [holdsShadow, tryV2, says('Paused', 'PausedUntilDecision')],
  },
  'v2 is given up for errors in its copies': {
    start: 'serving v1',
    course: [v2Errs, choosesShadow, tryV2, says('Aborted')],
  },
  'somebody decides to go on': {
    start: 'serving v1',
    course: [pauseForEver, isAtRest, tryV2, says('Paused', 'PausedUntilDecision'), decides('Promote')],
  },
  'v2 is paused by a decision': {
    start: 'serving v1',
    course: [tryV2, asks(5_000), decides('Pause'), says('Paused', 'PausedByDecision')],
  },
  'all steps of v2 are skipped': {
    start: 'serving v1',
    course: [tryV2, says('Paused'), decides('PromoteFull'), asks(10_000)],
  },
  'v2 is given up by a decision': {
    start: 'serving v1',
    course: [tryV2, asks(5_000), decides('Abort'), says('Aborted')],
  },
  'v2 is tried again': {
    start: 'serving v1',
    course: [v2IsBroken, tryV2, says('Aborted'), runsOne, v2IsWellAgain, decides('Retry'), asks(500)],
  },
  'users are rolled back to v1': {
    start: 'serving v1',
    course: [tryV2, runsTwo, runsOne, decides('Rollback'), asks(10_000)],
  },
  'users were rolled back to v1': {
    start: 'serving v1',
    course: [tryV2, runsTwo, runsOne, decides('Rollback'), says('Aborted'), runsOne],
  },
  'users are rolled back while v3 is tried': {
    start: 'serving v1',
    course: [
      ...[tryV2, runsTwo, runsOne, tryV3, asks(5_000), decides('Rollback')],
      says('Progressing', 'WaitingForPods'),
    ],
  },
  'v3 serves, v2 was rolled back from': {
    start: 'serving v1',
    course: [
      ...[tryV2, runsTwo, runsOne, decides('Rollback'), says('Aborted'), runsOne],
      ...[tryV3, runsTwo, runsOne],
    ],
  },
  'v2 serves and breaks, v1 is kept': {
    start: 'serving v1',
    course: [tryV2, runsTwo, runsOne, v2NeverGetsReady, says('Degraded')],
  },
  'v3 pauses, v1 is kept': {
    start: 'serving v1',
    course: [tryV2, runsTwo, runsOne, tryV3, says('Paused')],
  },
  'v3 is given up, v1 is kept': {
    start: 'serving v1',
    course: [tryV2, runsTwo, runsOne, v3IsBroken, tryV3, says('Aborted')],
  },
  'plain Services: pods of v2 are awaited': {
    start: 'serving v1 on plain Services',
    course: [rolls, tryV2, says('Progressing', 'WaitingForPods')],
  },
  'plain Services: users switch to v2': {
    start: 'serving v1 on plain Services',
    course: [rolls, tryV2, sendsElsewhere],
  },
  'plain Services: users switch to v2, the endpoints are late': {
    start: 'serving v1 on plain Services',
    course: [rolls, tryV2, becomesDeaf(4), sendsElsewhere, isAbout(3_000)],
  },
  'plain Services: v2 serves, v1 drains': {
    start: 'serving v1 on plain Services',
    course: [rolls, tryV2, runsTwo, says('Healthy')],
  },
  'plain Services: v2 waits for a decision': {
    start: 'serving v1 on plain Services',
    course: [waitsForDecision, tryV2, says('Paused')],
  },
  'plain Services: v2 serves, v1 is kept for the way back': {
    start: 'serving v1 on plain Services',
    course: [switchesAtOnce, tryV2, runsTwo, says('Healthy')],
  },
  'the user has left the mesh': {
    start: 'serving v1',
    course: [leavesMesh, plans, { kind: 'OperatorActs' }],
  },
  'the user leaves the mesh while v2 has 50 %': {
    start: 'serving v1',
    course: [tryV2, asks(5_000), says('Progressing'), leavesMesh, plans],
  },
  'the user joins the mesh with v2 in hand, and the write of the first routes takes long': {
    start: 'serving v1 on plain Services',
    course: [
      ...[tryV2, says('Progressing', 'StrategyUnsupported'), joinsMesh, plans],
      { kind: 'Tick', ms: 20_000 },
    ],
  },
  'without a mesh: v1 ends to make room for v2': {
    start: 'serving v1 without a mesh',
    course: [recreates, tryV2, says('Progressing', 'Recreating')],
  },
  'without a mesh: nobody is served until v2 is ready': {
    start: 'serving v1 without a mesh',
    course: [recreates, tryV2, says('Progressing', 'Recreating'), runsNothing],
  },
  'without a mesh: v2 fails in the room that v1 has made': {
    start: 'serving v1 without a mesh',
    course: [recreates, v2IsBroken, tryV2, says('Aborted')],
  },
  'without a mesh: v2 serves, and no runtime has named its model': {
    start: 'serving v1 without a mesh',
    course: [recreates, nobodyReports, tryV2, says('Progressing', 'Recreating'), says('Healthy')],
  },
  'without a mesh: a canary waits for one': {
    start: 'serving v1 without a mesh',
    course: [tryV2, says('Progressing', 'StrategyUnsupported')],
  },
  'without Istio: v2 waits for the only room': {
    start: 'serving v1',
    course: [recreates, istioGoesAway, tryV2, says('Progressing', 'IstioMissing')],
  },
  'without Istio: v2 has taken the only room': {
    start: 'serving v1',
    course: [recreates, tryV2, says('Progressing', 'Recreating'), runsNothing, istioGoesAway],
  },
  'it is being deleted': { start: 'serving v1', course: [deleteSlowly, plans, says('Deleting')] },
  'it is being deleted within a rollout': {
    start: 'serving v1',
    course: [tryV2, says('Paused'), deleteSlowly, plans, says('Deleting')],
  },
};

const MOST_TURNS = 3_000;

function makeMoment(name: string, { start, course }: Recipe): Moment {
  const tale = new Tale({ start, events: [], world: startOf(start) }, new Census());
  for (const part of course) {
    if (typeof part === 'function') goOnUntil(tale, part, name);
    else tale.let(part);
  }
  return { name, start, events: tale.events, world: tale.world };
}

function goOnUntil(tale: Tale, holds: Condition, name: string): void {
  for (let turn = 0; !holds(tale.world); turn += 1) {
    if (turn > MOST_TURNS) {
      tale.condemn({
        code: 'I12',
        name: 'the usual course leads on',
        message: `the moment '${name}' never comes`,
      });
    }
    tale.let(usualEvent(tale.world, turn));
  }
}

export const MOMENT_NAMES = Object.keys(recipes);

const made = new Map<string, Moment>();

/** The moment of this name; a story on the way there may already end badly. */
export function momentOf(name: string): Moment {
  const known = made.get(name);
  const recipe = recipes[name];
  if (known !== undefined) return known;
  if (recipe === undefined) throw new Error(`no moment is called '${name}'`);
  const moment = makeMoment(name, recipe);
  made.set(name, moment);
  return moment;
}
