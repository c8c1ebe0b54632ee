import type {
  AnsweredDecision,
  ModelDeployment,
  ModelDeploymentStatus,
} from '../../../operator/api/model-deployment.ts';
import { annotations, DECISION_KIND, gatewayVirtualServiceName } from '../../../operator/api/names.ts';
import type { DecisionAction, RolloutDecision } from '../../../operator/api/rollout-decision.ts';
import { heldFrom } from '../clients.ts';
import { cachedDecisions, liveDecisions, NO_ROLLOUT } from '../decisions.ts';
import {
  cached,
  isServing,
  live,
  liveModelDeployment,
  MODEL_DEPLOYMENT_KEY,
  NAME,
  type Pass,
  type World,
} from '../world.ts';
import {
  appliedObject,
  askedLoad,
  HOLDS,
  isPlain,
  isRecreating,
  isRouteForeign,
  isStatusPatch,
  desiredRevision,
  sendsTo,
  stableRevision,
  weightIn,
  type Invariant,
  type Transition,
} from './invariant.ts';

/** What a person's word is worth. */
export const decisionInvariants: readonly Invariant[] = [
  { code: 'I10', name: 'a decision is heard once', check: heardOnce },
  { code: 'I10', name: 'a decision hits no other rollout', check: aboutThisRollout },
  { code: 'I10', name: 'a decision is answered once, with what the status says', check: answeredOnce },
  { code: 'I11', name: 'whoever is refused is told why', check: refusalsSayWhy },
  { code: 'I13', name: 'what is decided is done in the write that says so', check: effectWithAnswer },
  { code: 'I13', name: 'nobody is kept from leaving a rollout', check: mayLeave },
  { code: 'I13', name: 'nobody is heard before a broken candidate has lost its users', check: brokenFirst },
  { code: 'I13', name: 'nothing that only people decide happens without them', check: nothingUndecided },
  { code: 'I13', name: 'a pause keeps the weights', check: pauseHolds },
];

/** What one status patch has answered, and the statuses before and after it. */
interface Hearing {
  readonly before: ModelDeploymentStatus;
  readonly after: ModelDeploymentStatus;
  readonly answers: readonly AnsweredDecision[];
}

function hearingOf(transition: Transition): Hearing | undefined {
  if (!isStatusPatch(transition)) return undefined;
  const after = liveModelDeployment(transition.after)?.status;
  const before = liveModelDeployment(transition.before)?.status ?? {};
  if (after === undefined) return undefined;
  const known = new Set(before.decisions?.map(({ uid }) => uid));
  return { before, after, answers: after.decisions?.filter(({ uid }) => !known.has(uid)) ?? [] };
}

/** Whether this status patch says what became of a decision; all else in it is as it was found. */
export function isHearing(transition: Transition): boolean {
  return (hearingOf(transition)?.answers.length ?? 0) > 0;
}

/** Whether the pass that has just been planned will do so. */
export function plansHearing({ status, seen }: Pass): boolean {
  const known = (cached(seen, MODEL_DEPLOYMENT_KEY) as ModelDeployment | undefined)?.status?.decisions;
  return status?.decisions !== known;
}

function heardOnce(transition: Transition): string | undefined {
  const hearing = hearingOf(transition);
  if (hearing === undefined || hearing.answers.length === 0) return undefined;
  if (hearing.answers.length > 1) return `${hearing.answers.length} decisions are heard at once`;
  const again = hearing.answers.find(({ uid }) => transition.before.ledger.heard.has(uid));
  return again === undefined ? HOLDS : `the ${again.action} ${again.name} is heard a second time`;
}

/** A decision whose own status was written just now. */
function answered(transition: Transition): readonly RolloutDecision[] {
  const { before, event, after } = transition;
  if (before === after || (event.kind !== 'OperatorActs' && event.kind !== 'WriteFails')) return [];
  return liveDecisions(after).filter((decision) => {
    const was = live(before, `${DECISION_KIND}/${decision.metadata.name}`);
    return was !== undefined && was !== decision;
  });
}

function answeredOnce(transition: Transition): string | undefined {
  const [decision] = answered(transition);
  if (decision === undefined) return undefined;
  const { name, uid = '' } = decision.metadata;
  const was = live(transition.before, `${DECISION_KIND}/${name}`) as RolloutDecision | undefined;
  if (was?.status?.phase !== undefined) return `${name} is answered a second time`;
  // Without its ModelDeployment no decision is heard.
  const { phase } = transition.before.ledger.heard.get(uid) ?? { phase: 'Refused' };
  return decision.status?.phase === phase ? HOLDS : `${name} is answered otherwise than with ${phase}`;
}

function refusalsSayWhy(transition: Transition): string | undefined {
  const [decision] = answered(transition);
  if (decision === undefined) return undefined;
  const { phase, reason = '', message = '' } = decision.status ?? {};
  const isExplained = reason !== '' && message !== '' && (phase === 'Applied') === (reason === 'AsDecided');
  return isExplained ? HOLDS : `${decision.metadata.name} says '${phase ?? ''} ${reason} ${message}'`;
}

function effectWithAnswer(transition: Transition): string | undefined {
  const hearing = hearingOf(transition);
  const [answer] = hearing?.answers ?? [];
  if (hearing === undefined || answer === undefined) return undefined;
  if (restOf(hearing.before) !== restOf(hearing.after))
    return `${answer.action} changes what else the status says`;
  if (answer.phase !== 'Applied')
    return isUnchanged(hearing) ? HOLDS : `a refused ${answer.action} has effects`;
  const hasEffect = effects[answer.action as DecisionAction](hearing, transition.before);
  return hasEffect
    ? HOLDS
    : `${answer.action} is Applied: ${effectOf(hearing.before)} → ${effectOf(hearing.after)}`;
}

function effectOf({ rollout, pendingMarks }: ModelDeploymentStatus): string {
  return JSON.stringify({ rollout, pendingMarks });
}

function restOf(status: ModelDeploymentStatus): string {
  return JSON.stringify({
    ...status,
    ...{ rollout: undefined, pendingMarks: undefined, rolloutId: undefined, decisions: undefined },
  });
}

function isUnchanged({ before, after }: Hearing): boolean {
  return effectOf(before) === effectOf(after);
}

type Effect = (hearing: Hearing, world: World) => boolean;

/** What each action does to a status; written down here once more, apart from the operator's own rules. */
const effects: Readonly<Record<DecisionAction, Effect>> = {
  Promote: passesOneStep,
  SkipStep: passesOneStep,
  PromoteFull: ({ before, after }) =>
    after.rollout?.id === before.rollout?.id && after.rollout?.skipsSteps === true,
  Pause: ({ before, after }) => before.rollout?.paused === undefined && after.rollout?.paused !== undefined,
  Resume: ({ before, after }) =>
    before.rollout?.paused !== undefined && after.rollout !== undefined && after.rollout.paused === undefined,
  Abort: ({ before, after }) => after.rollout === undefined && isGivenUp(after, before.rollout?.revision),
  Retry: ({ after }, world) => {
    const desired = desiredRevision(world);
    return after.rollout === undefined && markOf(after, desired) !== undefined && !isGivenUp(after, desired);
  },
  Rollback: ({ after }, world) => {
    const goal = markOf(after, desiredRevision(world))?.aborted?.rollbackTo ?? '';
    const wasPromoted = promotedAt(world, goal) !== undefined;
    return after.rollout === undefined && wasPromoted && !isGivenUp(after, goal);
  },
};

function passesOneStep({ before, after }: Hearing): boolean {
  const [was, now] = [before.rollout, after.rollout];
  if (was === undefined || now?.id !== was.id) return false;
  // Edited steps begin anew before one of them is passed.
  return now.stepsHash === was.stepsHash ? now.stepIndex === was.stepIndex + 1 : now.stepIndex > 0;
}

type Mark = NonNullable<ModelDeploymentStatus['pendingMarks']>[number];

function markOf(
  { pendingMarks = [] }: ModelDeploymentStatus,
  revision: string | undefined,
): Mark | undefined {
  return pendingMarks.find((mark) => mark.revision === revision);
}

function isGivenUp(status: ModelDeploymentStatus, revision: string | undefined): boolean {
  return markOf(status, revision)?.aborted !== undefined;
}

function promotedAt(world: World, revision: string): string | undefined {
  return live(world, `ControllerRevision/${revision}`)?.metadata.annotations?.[annotations.promotedAt];
}

/** The decision that a status patch has answered, as its pass has seen it. */
function decisionOf({ before }: Transition, { uid }: AnsweredDecision): RolloutDecision | undefined {
  const { pass } = before.operator;
  return pass && cachedDecisions(pass.seen).find(({ metadata }) => metadata.uid === uid);
}

function aboutThisRollout(transition: Transition): string | undefined {
  const [answer] = hearingOf(transition)?.answers ?? [];
  if (answer === undefined) return undefined;
  const isForeign = decisionOf(transition, answer)?.spec.rollout === NO_ROLLOUT;
  return isForeign && answer.phase === 'Applied' ? `${answer.action} hits another rollout` : HOLDS;
}

/** An abort of the rollout under way, and a rollback to a kept revision that once served, are never refused. */
function mayLeave(transition: Transition): string | undefined {
  const { answers: [answer] = [], before } = hearingOf(transition) ?? {};
  if (answer === undefined || answer.phase === 'Applied') return undefined;
  const decision = decisionOf(transition, answer);
  const isPresent = decision?.spec.rollout === before?.rolloutId;
  return decision !== undefined && isPresent && isWayOut(transition.before, decision)
    ? `${answer.action} is refused: ${answer.message}`
    : HOLDS;
}

function isWayOut(world: World, decision: RolloutDecision): boolean {
  const judge = waysOut[decision.spec.action];
  return judge?.(world, decision) === true && !world.ledger.deleted;
}

const waysOut: Readonly<
  Partial<Record<DecisionAction, (world: World, decision: RolloutDecision) => boolean>>
> = {
  Abort: isUnderWay,
  Rollback: isWayBack,
};

function isUnderWay(world: World, { spec }: RolloutDecision): boolean {
  const { rollout } = liveModelDeployment(world)?.status ?? {};
  if (rollout?.revision !== desiredRevision(world) || rollout === undefined) return false;
  const isOver = rollout.revision === stableRevision(world) || world.ledger.aborted.has(rollout.revision);
  // One that names its step may find the steps begun anew.
  return !isOver && spec.step === undefined;
}

function isWayBack(world: World, { spec: { revision } }: RolloutDecision): boolean {
  if (revision === undefined || promotedAt(world, revision) === undefined) return false;
  const { rollout } = liveModelDeployment(world)?.status ?? {};
  return ![desiredRevision(world), stableRevision(world), rollout?.revision].includes(revision);
}

/** Each decision costs a pass: many of them would keep the users where nobody answers. */
function brokenFirst(transition: Transition): string | undefined {
  const { pass } = transition.before.operator;
  return pass !== undefined && isHearing(transition) ? leftWithNobody(pass.seen) : undefined;
}

function leftWithNobody(seen: World): string | undefined {
  const revision = triedIn(seen);
  if (revision === undefined) return undefined;
  const isServed = seen.cachedPods.some((pod) => pod.revision === revision && isServing(pod));
  const route = cached(seen, `VirtualService/${gatewayVirtualServiceName(NAME)}`);
  const sends = route !== undefined && sendsTo(heldFrom(route), revision);
  return sends && !isServed ? `${revision} has users and no ready pod when somebody is heard` : HOLDS;
}

/** The candidate as the caches have it, where proxies carry its users: Recreate leaves those with nobody anyway. */
function triedIn(world: World): string | undefined {
  const seen = cached(world, MODEL_DEPLOYMENT_KEY) as ModelDeployment | undefined;
  const revision = seen?.status?.rollout?.revision;
  const isOver = seen?.metadata.deletionTimestamp !== undefined || revision === stableRevision(world, 'Cache');
  return isOver || isPlain(world) || isRecreating(world) ? undefined : revision;
}

function nothingUndecided(transition: Transition): string | undefined {
  const hearing = hearingOf(transition);
  if (hearing === undefined || hearing.answers.length > 0) return undefined;
  return (
    undecided.map((judge) => judge(hearing, transition.after)).find((message) => message !== undefined) ??
    HOLDS
  );
}

const undecided: readonly ((hearing: Hearing, world: World) => string | undefined)[] = [
  ({ before, after }) => {
    const isMore = (after.pendingMarks ?? []).length > (before.pendingMarks ?? []).length;
    return isMore ? 'a mark is decided by nobody' : undefined;
  },
  ({ before: { rollout: was }, after: { rollout: now } }) => {
    const isNews = was?.id !== now?.id || was?.paused === undefined;
    return now?.paused !== undefined && isNews ? 'nobody has paused it' : undefined;
  },
  // Whoever rolls back, skips the steps.
  ({ before: { rollout: was }, after: { rollout: now } }, world) => {
    const skips = now?.skipsSteps === true && now.revision === desiredRevision(world);
    return skips && was?.skipsSteps !== true ? 'nobody has skipped its steps' : undefined;
  },
];

function pauseHolds(transition: Transition): string | undefined {
  const route = appliedObject(transition, 'VirtualService');
  const { pass } = transition.before.operator;
  const seen = pass && (cached(pass.seen, MODEL_DEPLOYMENT_KEY) as ModelDeployment | undefined);
  const { rollout } = seen?.status ?? {};
  if (route === undefined || rollout?.paused === undefined) return undefined;
  if (isRouteForeign(transition.before)) return HOLDS;
  // One of both routes may have been cut off or deleted, and is made like the other.
  const { destinations, mirrors } = heldFrom(route);
  const { revision } = rollout;
  const load = Math.max(weightIn(destinations, revision), weightIn(mirrors, revision));
  const isRaised = load > askedLoad(transition.before, revision);
  return isRaised ? `${revision} gets more while its rollout is paused` : HOLDS;
}
