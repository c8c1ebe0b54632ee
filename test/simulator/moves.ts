import { deployedRevisions } from './cluster.ts';
import { liveDecisions } from './decisions.ts';
import type { Dice } from '../support/dice.ts';
import type { Event } from './environment.ts';
import { isTriggered } from './operator.ts';
import type { World } from './world.ts';

interface Choice {
  readonly weight: number;
  readonly events: (world: World) => readonly Event[];
}

/** What may come next when nothing goes wrong, in any order. */
const moves: readonly Choice[] = [
  { weight: 14, events: ({ operator }) => (operator.pass === undefined ? [] : [{ kind: 'OperatorActs' }]) },
  { weight: 5, events: (world) => (isTriggered(world) ? [{ kind: 'OperatorPlans' }] : []) },
  { weight: 1, events: () => [{ kind: 'OperatorPlans' }] },
  {
    weight: 3,
    events: (world) => deployedRevisions(world).map((_, revision) => ({ kind: 'KubeletMoves', revision })),
  },
  { weight: 2, events: ({ pods }) => pods.map((_, pod) => ({ kind: 'PodMoves', pod })) },
  { weight: 2, events: autoscalerMoves },
  { weight: 2, events: () => [{ kind: 'DeploymentControllerMoves' }] },
  { weight: 1, events: () => [{ kind: 'ClusterMoves' }] },
  { weight: 4, events: ({ proxies }) => proxies.map((_, proxy) => ({ kind: 'ProxyLearns', proxy })) },
  { weight: 6, events: () => [100, 300, 1_000, 5_000, 20_000].map((ms) => ({ kind: 'Tick', ms })) },
  { weight: 2, events: lateNews },
  { weight: 0.5, events: withdrawals },
];

function autoscalerMoves(world: World): readonly Event[] {
  const wishes = [-1, 0, 1] as const;
  return deployedRevisions(world).flatMap((_, revision) =>
    wishes.map((wish): Event => ({ kind: 'AutoscalerMoves', revision, wish })),
  );
}

function lateNews({ objects }: World): readonly Event[] {
  const behind = [...objects].filter(([, { lag }]) => lag > 0);
  return behind.map(([key]) => ({ kind: 'CacheDelivers', key }));
}

/** Nobody has to leave a decision where it is until it is heard. */
function withdrawals(world: World): readonly Event[] {
  return liveDecisions(world).map((_, decision) => ({ kind: 'DecisionDeleted', decision }));
}

export function randomMove(world: World, dice: Dice): Event | undefined {
  return dice.pick(dice.pickWeighted(moves)?.events(world) ?? []);
}
