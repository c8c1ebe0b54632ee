import { isDeepStrictEqual } from 'node:util';
import { annotations, revisionName } from '../../operator/api/names.ts';
import type { AbortedMark } from '../../operator/resources/controller-revision.ts';
import { FULL_WEIGHT } from '../../operator/traffic/routing.ts';
import { modelUri } from './cluster.ts';
import { decide, unansweredDecisions } from './decisions.ts';
import type { Dice } from '../support/dice.ts';
import { isPlain, stableRevision } from './invariants/invariant.ts';
import { healingEvents, isUnsupported, pausesForEver } from './settle.ts';
import type { Tale } from './tale.ts';
import { edit } from './user.ts';
import {
  live,
  liveModelDeployment,
  NAME,
  VERSIONS,
  type Version,
  type Wanted,
  type WayOut,
  type World,
} from './world.ts';

/** The ways that lead anywhere from here; each of them has to work, whatever is broken (I13). */
export function waysOutOf(world: World): readonly WayOut[] {
  const { spec, status, metadata } = liveModelDeployment(world) ?? {};
  if (spec === undefined || metadata?.deletionTimestamp !== undefined) return [];
  const others = VERSIONS.filter((version) => spec.model.uri !== modelUri(version));
  // Who rolls back to it has waited for it already.
  const news = others.filter((version) => status?.rollout?.revision !== revisionOf(version));
  const goals = others.filter((version) => isGoal(world, revisionOf(version)));
  return [
    ...(isUnderWay(world) ? [{ kind: 'Abort' } as const] : []),
    ...(status?.rolloutId === undefined ? [] : goals.map((to) => ({ kind: 'Rollback', to }) as const)),
    ...news.map((version) => ({ kind: 'Spec', version }) as const),
  ];
}

function isUnderWay(world: World): boolean {
  const { rollout } = liveModelDeployment(world)?.status ?? {};
  const isOver = rollout === undefined || rollout.revision === stableRevision(world);
  return !isOver && !world.ledger.aborted.has(rollout.revision);
}

/** Whether everybody was served by it once, and it is neither where users are nor where they are going. */
function isGoal(world: World, revision: string): boolean {
  const { rollout } = liveModelDeployment(world)?.status ?? {};
  return promotedOnce(world, revision) && ![stableRevision(world), rollout?.revision].includes(revision);
}

function promotedOnce(world: World, revision: string): boolean {
  return annotationsOf(world, revision)?.[annotations.promotedAt] !== undefined;
}

export function revisionOf(version: Version): string {
  return revisionName(NAME, { model: { uri: modelUri(version) } });
}

/** The user takes this way; where it has to end is remembered. */
export function take(world: World, way: WayOut): World {
  // A story that is told with less in it must not end with a way that was none.
  const isWay = waysOutOf(world).some((known) => isDeepStrictEqual(known, way));
  if (!isWay || !isInformed(world)) return world;
  const taken =
    way.kind === 'Spec' ? edit(world, { kind: 'Model', version: way.version }) : decided(world, way);
  if (taken === world) return world;
  return {
    ...taken,
    ledger: { ...taken.ledger, wanted: { stable: stableRevision(world), ...meaningOf(world, way) } },
  };
}

/** Who asks for what users are being rolled back from goes on with that. */
function meaningOf(world: World, way: WayOut): Pick<Wanted, 'way' | 'wasGivenUp'> {
  if (way.kind !== 'Spec') return { way, wasGivenUp: false };
  const revision = revisionOf(way.version);
  const goal = VERSIONS.find((version) => revisionOf(version) === goalOfRollback(world, revision));
  return goal === undefined || world.ledger.aborted.has(revisionOf(goal))
    ? { way, wasGivenUp: world.ledger.aborted.has(revision) }
    : { way: { kind: 'Rollback', to: goal }, wasGivenUp: false };
}

/** A rollback is over with the next promotion, be it of its goal or of another. */
function goalOfRollback(world: World, revision: string): string | undefined {
  const mark = annotationsOf(world, revision)?.[annotations.aborted];
  if (mark === undefined) return undefined;
  const { at, rollbackTo } = JSON.parse(mark) as AbortedMark;
  const promotedAt = annotationsOf(world, stableRevision(world))?.[annotations.promotedAt] ?? at;
  return Date.parse(promotedAt) > Date.parse(at) ? undefined : rollbackTo;
}

function annotationsOf(world: World, revision = ''): Readonly<Record<string, string>> | undefined {
  return live(world, `ControllerRevision/${revision}`)?.metadata.annotations;
}

function decided(world: World, way: Exclude<WayOut, { kind: 'Spec' }>): World {
  if (way.kind === 'Rollback') return decide(world, { action: 'Rollback', to: way.to });
  return isUnderWay(world) ? decide(world, { action: 'Abort' }) : world;
}

/** How a story has ended, as `endOf` tells it. */
export interface End {
  readonly phase?: string;
  readonly stable?: string;
  readonly shares: readonly string[];
}

/** Why this is not where the way had to end; undefined where it is, or where the world gives a reason. */
export function strayed(world: World, wanted: Wanted, end: End): string | undefined {
  const goals = goalsOf(world, wanted);
  if (goals === undefined) return undefined;
  const { phase, revision } = goals;
  const isThere =
    end.phase === phase && end.stable === revision && end.shares.join() === `${revision}=${FULL_WEIGHT}`;
  return isThere
    ? undefined
    : `${JSON.stringify(wanted.way)} ends as ${JSON.stringify(end)}, not with all traffic on ${revision}, ${phase}`;
}

interface Goal {
  readonly phase: string;
  readonly revision: string;
}

function goalsOf(world: World, { way, stable, wasGivenUp }: Wanted): Goal | undefined {
  const stays = way.kind === 'Abort' || wasGivenUp;
  if (stays) return stable === undefined ? undefined : { phase: 'Aborted', revision: stable };
  const version = way.kind === 'Rollback' ? way.to : way.version;
  const revision = revisionOf(version);
  if (world.behaviours[version] !== 'Good' || waitsForMesh(world, way)) return undefined;
  if (way.kind === 'Rollback') return { phase: 'Aborted', revision };
  return mayPauseForEver(world, revision, stable) ? undefined : { phase: 'Healthy', revision };
}

function waitsForMesh(world: World, { kind }: WayOut): boolean {
  const modelDeployment = liveModelDeployment(world);
  if (modelDeployment === undefined || !isPlain(world)) return false;
  return kind === 'Spec'
    ? isUnsupported(modelDeployment.spec)
    : modelDeployment.spec.traffic.gateways !== undefined;
}

/** The steps may say that somebody has to decide, of all but the first revision. */
function mayPauseForEver(world: World, revision: string, stable: string | undefined): boolean {
  const rollout = liveModelDeployment(world)?.spec.rollout;
  return rollout !== undefined && pausesForEver(rollout) && ![undefined, revision].includes(stable);
}

const MOST_PASSES = 8;
const MOST_ACTIONS = 200;

/** From where a story stands, the world gets well, the operator looks round, and the user takes a way out. */
export function leave(tale: Tale, dice: Dice): void {
  const way = dice.pick(waysFrom(tale));
  if (way !== undefined && tale.leave(way)) tale.rest();
}

/** The same by every way that there is. */
export function leaveEveryWay(tale: Tale): void {
  for (const way of waysFrom(tale)) {
    const fork = tale.fork();
    if (fork.leave(way)) fork.rest();
  }
}

function waysFrom(tale: Tale): readonly WayOut[] {
  for (const event of healingEvents(tale.world)) tale.let(event);
  for (let passes = 0; passes < MOST_PASSES && !isInformed(tale.world); passes += 1) onePass(tale);
  return waysOutOf(tale.world);
}

/** The operator is at rest, and has heard of everything. */
function isInformed(world: World): boolean {
  const { status, metadata } = liveModelDeployment(world) ?? {};
  return (
    world.operator.pass === undefined &&
    status?.observedGeneration === metadata?.generation &&
    status?.pendingMarks === undefined &&
    unansweredDecisions(world).length === 0
  );
}

function onePass(tale: Tale): void {
  if (tale.world.operator.pass === undefined) tale.let({ kind: 'OperatorPlans' });
  for (let acted = 0; acted < MOST_ACTIONS && tale.world.operator.pass !== undefined; acted += 1)
    tale.let({ kind: 'OperatorActs' });
}
