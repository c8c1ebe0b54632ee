import { annotations, revisionName } from '../../../operator/api/names.ts';
import { durationMs } from '../../../operator/api/duration.ts';
import { FULL_WEIGHT } from '../../../operator/traffic/routing.ts';
import { heldFrom } from '../clients.ts';
import { deployedRevisions } from '../cluster.ts';
import { live, liveModelDeployment, NAME, replicasOf, type World } from '../world.ts';
import {
  appliedObject,
  deletedName,
  HOLDS,
  isHurt,
  isRecreating,
  isRouteForeign,
  podsFor,
  stableRevision,
  weightIn,
  type Invariant,
  type Transition,
} from './invariant.ts';

/** What each strategy promises beyond what holds for all of them. */
export const strategyInvariants: readonly Invariant[] = [
  { code: 'I1', name: 'whoever gets copies answers no user', check: shadowAnswersNobody },
  { code: 'I4', name: 'blue and green share no users', check: switchesWhole },
  { code: 'I2', name: 'the old side is not removed before its time', check: warmStays },
  {
    code: 'I7',
    name: 'where there is room for one, nobody starts before the other is gone',
    check: roomForOne,
  },
  { code: 'I7', name: 'the old side keeps its size until its time', check: warmKeepsSize },
];

function shadowAnswersNobody(transition: Transition): string | undefined {
  const virtualService = appliedObject(transition, 'VirtualService');
  if (virtualService === undefined) return undefined;
  const { destinations, mirrors } = heldFrom(virtualService);
  if (mirrors.length === 0) return undefined;
  const answering = mirrors.find(({ revision }) => weightIn(destinations, revision) > 0);
  return answering === undefined ? HOLDS : `${answering.revision} gets copies and users`;
}

/** Recreate is for models that fit into the cluster only once. */
function roomForOne(transition: Transition): string | undefined {
  const deployment = appliedObject(transition, 'Deployment');
  const { before } = transition;
  if (deployment === undefined || !isRecreating(before)) return undefined;
  const { name } = deployment.metadata;
  if (live(before, `Deployment/${name}`) !== undefined) return HOLDS;
  const stable = stableRevision(before);
  const { cachedPods } = before.operator.pass?.seen ?? before;
  const isLeft = name !== stable && cachedPods.some(({ revision }) => revision === stable);
  return isLeft ? `${name} starts while pods of ${stable ?? ''} are left` : HOLDS;
}

/** A share that it had under another strategy stays as it is until the switch. */
function switchesWhole({ before, event, after }: Transition): string | undefined {
  const transition = { before, event, after };
  const virtualService = appliedObject(transition, 'VirtualService');
  const spec = liveModelDeployment(before.operator.pass?.seen ?? before)?.spec;
  if (virtualService === undefined || spec?.rollout.strategy !== 'BlueGreen') return undefined;
  const was = live(before, `VirtualService/${virtualService.metadata.name}`);
  if (was === undefined || isRouteForeign(before)) return undefined;
  const stable = stableRevision(before);
  const { destinations } = heldFrom(virtualService);
  const partly = destinations.find(
    ({ revision, weight }) =>
      revision !== stable &&
      weight > weightIn(heldFrom(was).destinations, revision) &&
      weight !== FULL_WEIGHT,
  );
  return partly === undefined ? HOLDS : `${partly.revision} gets ${partly.weight} of 10000 users`;
}

/** The revision that was promoted before the stable, as long as blue and green keep it. */
function warmRevision(world: World): string | undefined {
  const spec = liveModelDeployment(world)?.spec;
  if (spec?.rollout.blueGreen === undefined || world.ledger.deleted) return undefined;
  const [stable, previous] = promotions(world);
  if (stable?.name !== revisionName(NAME, spec)) return undefined;
  const untilMs = Date.parse(stable.at) + durationMs(spec.rollout.blueGreen.keepOldFor);
  return world.nowMs < untilMs ? previous?.name : undefined;
}

/** The latest first; nobody goes back to what was given up. */
function promotions({ objects }: World): readonly { readonly name: string; readonly at: string }[] {
  return [...objects]
    .flatMap(([key, { versions }]) => (key.startsWith('ControllerRevision/') ? (versions[0] ?? []) : []))
    .map(({ metadata: { name, annotations: marks = {} } }) => ({
      name,
      at: marks[annotations.aborted] === undefined ? (marks[annotations.promotedAt] ?? '') : '',
    }))
    .filter(({ at }) => at !== '')
    .sort((left, right) => right.at.localeCompare(left.at));
}

function warmStays(transition: Transition): string | undefined {
  const name = deletedName(transition, ['Deployment', 'Service']);
  if (name === undefined) return undefined;
  // What the operator has not seen yet it cannot heed.
  const { pass } = transition.before.operator;
  const isKept =
    warmRevision(transition.before) === name && (pass === undefined || warmRevision(pass.seen) === name);
  return isKept && replicasOf(transition.before, name) > 0 ? `${name} is removed before its time` : HOLDS;
}

function warmKeepsSize({ before, event, after }: Transition): string | undefined {
  if (event.kind !== 'AutoscalerMoves') return undefined;
  const warm = warmRevision(before);
  const stable = stableRevision(before);
  const isNews = before.operator.dirty || before.operator.pass !== undefined;
  if (warm === undefined || stable === undefined || isHurt(before, warm) || isNews) return undefined;
  if (!deployedRevisions(before).includes(warm)) return undefined;
  const isSmaller = replicasOf(after, warm) < replicasOf(before, warm);
  return isSmaller && replicasOf(after, warm) < podsFor(after, stable, FULL_WEIGHT)
    ? `${warm} shrinks to ${replicasOf(after, warm)} while it is kept`
    : HOLDS;
}
