import { deployedRevisions } from './cluster.ts';
import type { Event } from './environment.ts';
import { fingerprint } from './fingerprint.ts';
import type { Moment } from './moments.ts';
import { isTriggered } from './operator.ts';
import { advance, ViolationError, type Census } from './simulation.ts';
import { BadEnd, Tale } from './tale.ts';
import type { World } from './world.ts';

interface Node {
  readonly world: World;
  readonly parent: Node | undefined;
  readonly event: Event | undefined;
}

/** Everything that may come next, each in its smallest step: every order of these is tried. */
function nextEvents(world: World): readonly Event[] {
  const { operator, proxies } = world;
  return [
    ...(operator.pass === undefined ? [] : ([{ kind: 'OperatorActs' }, { kind: 'OperatorDies' }] as const)),
    ...(isTriggered(world) && operator.pass === undefined ? ([{ kind: 'OperatorPlans' }] as const) : []),
    { kind: 'DeploymentControllerMoves' },
    ...deployedRevisions(world).flatMap((_, revision): readonly Event[] => [
      { kind: 'KubeletMoves', revision },
      { kind: 'AutoscalerMoves', revision, wish: -1 },
      { kind: 'AutoscalerMoves', revision, wish: 1 },
    ]),
    ...proxies.map((_, proxy): Event => ({ kind: 'ProxyLearns', proxy })),
    { kind: 'Tick', ms: 1_000 },
  ];
}

const RESTS_EVERY = 16;

/** All orders of events from a moment on, breadth first, each state once, until so many states are known. */
export function exhaust(
  moment: Moment,
  { states, census }: { readonly states: number; readonly census: Census },
): number {
  const known = new Set([fingerprint(moment.world)]);
  let frontier: readonly Node[] = [{ world: moment.world, parent: undefined, event: undefined }];
  let depth = 0;
  while (frontier.length > 0 && known.size < states) {
    const next: Node[] = [];
    for (const node of frontier) {
      if (known.size >= states) return depth;
      next.push(...successors(moment, node, { known, census }));
    }
    frontier = next;
    depth += 1;
  }
  return depth;
}

function successors(
  moment: Moment,
  parent: Node,
  { known, census }: { readonly known: Set<number>; readonly census: Census },
): readonly Node[] {
  return nextEvents(parent.world).flatMap((event): readonly Node[] => {
    const world = advanceOrTell(moment, { parent, event }, census);
    const number = fingerprint(world);
    if (known.has(number)) return [];
    known.add(number);
    const node = { world, parent, event };
    if (known.size % RESTS_EVERY === 0) taleOf(moment, node, census).rest();
    return [node];
  });
}

function advanceOrTell(
  moment: Moment,
  { parent, event }: { readonly parent: Node; readonly event: Event },
  census: Census,
): World {
  try {
    return advance(parent.world, event, census);
  } catch (error) {
    if (!(error instanceof ViolationError)) throw error;
    const { start, events } = taleOf(moment, { ...parent, parent, event }, census);
    throw new BadEnd({ start, events, thenRests: false }, error);
  }
}

function taleOf({ start, events }: Moment, node: Node, census: Census): Tale {
  const since: Event[] = [];
  for (let at: Node | undefined = node; at !== undefined; at = at.parent)
    if (at.event) since.unshift(at.event);
  return new Tale({ start, events: [...events, ...since], world: node.world }, census);
}
