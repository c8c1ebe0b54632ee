import type { KubernetesObject } from '../../operator/api/object.ts';
import { deliverAll, deliverOne, startStale, write, writeVersion } from './api-server.ts';
import { learns, offeredTo, replaceProxy, serve } from './clients.ts';
import {
  autoscale,
  clusterMoves,
  deployedRevisions,
  deploymentController,
  endPods,
  hurtRevision,
  noticeRecovery,
  reportDeployments,
} from './cluster.ts';
import { decide, removeDecision, type Decision } from './decisions.ts';
import { kubelet, removeEndedPods } from './kubelet.ts';
import { actOnce, beginPass, crash, failOnce } from './operator.ts';
import { freeAllNames, isChild, takeName, writeBeside } from './others.ts';
import { edit, type Edit } from './user.ts';
import { take } from './ways-out.ts';
import {
  EDITED_BY_HAND,
  live,
  MODEL_DEPLOYMENT_KEY,
  type Behaviour,
  type Platform,
  type ProxyCondition,
  type Version,
  type WayOut,
  type World,
} from './world.ts';

/** Everything that can happen, as plain data: a story is a list of these and can be told again. */
export type Event =
  | { readonly kind: 'Tick'; readonly ms: number }
  | { readonly kind: 'ClusterMoves' }
  | { readonly kind: 'DeploymentControllerMoves' }
  | { readonly kind: 'KubeletMoves'; readonly revision: number }
  | { readonly kind: 'PodMoves'; readonly pod: number }
  | { readonly kind: 'AutoscalerMoves'; readonly revision: number; readonly wish: -1 | 0 | 1 }
  | { readonly kind: 'ProxyLearns'; readonly proxy: number }
  | { readonly kind: 'ProxyBecomes'; readonly proxy: number; readonly condition: ProxyCondition }
  | { readonly kind: 'GatewayReplaced'; readonly proxy: number }
  | { readonly kind: 'CacheCatchesUp' }
  | { readonly kind: 'CacheDelivers'; readonly key: string }
  | { readonly kind: 'OperatorPlans' }
  | { readonly kind: 'OperatorActs' }
  | { readonly kind: 'WriteFails'; readonly isDone: boolean }
  | { readonly kind: 'OperatorDies'; readonly seesOldWorld?: boolean }
  | { readonly kind: 'PlatformBecomes'; readonly change: Partial<Platform> }
  | { readonly kind: 'VersionBecomes'; readonly version: Version; readonly behaviour: Behaviour }
  | { readonly kind: 'PodLost'; readonly pod: number }
  | { readonly kind: 'ChildDeleted'; readonly child: number }
  | { readonly kind: 'VirtualServiceEdited' }
  | { readonly kind: 'ChildWrittenByOthers'; readonly child: number }
  | { readonly kind: 'NameTaken'; readonly name: number }
  | { readonly kind: 'NamesFreed' }
  | { readonly kind: 'UserEdits'; readonly edit: Edit }
  | { readonly kind: 'UserDecides'; readonly decision: Decision }
  | { readonly kind: 'UserLeaves'; readonly way: WayOut }
  | { readonly kind: 'DecisionDeleted'; readonly decision: number };

type Happening = {
  readonly [Kind in Event['kind']]: (world: World, event: Extract<Event, { kind: Kind }>) => World;
};

const happenings: Happening = {
  Tick: (world, { ms }) => tick(world, ms),
  ClusterMoves: (world) => clusterMoves(world),
  DeploymentControllerMoves: (world) => reportDeployments(deploymentController(world)),
  KubeletMoves: (world, { revision }) => {
    const name = deployedRevisions(world)[revision];
    return name === undefined ? world : kubelet(world, (pod) => pod.revision === name);
  },
  PodMoves: (world, { pod }) => kubelet(world, ({ name }) => name === world.pods[pod]?.name),
  AutoscalerMoves: (world, { revision, wish }) => {
    const name = deployedRevisions(world)[revision];
    return name === undefined ? world : autoscale(world, name, wish);
  },
  ProxyLearns: (world, { proxy }) => learns(world, proxy),
  ProxyBecomes: (world, { proxy, condition }) => {
    const before = world.proxies[proxy];
    return before === undefined ? world : replaceProxy(world, proxy, { ...before, condition });
  },
  GatewayReplaced: replaceGateway,
  CacheCatchesUp: (world) => deliverAll(world),
  CacheDelivers: (world, { key }) => deliverOne(world, key),
  OperatorPlans: (world) => beginPass(world),
  OperatorActs: (world) => actOnce(world),
  WriteFails: (world, { isDone }) => failOnce(world, isDone),
  OperatorDies: (world, { seesOldWorld = false }) =>
    crash(seesOldWorld ? startStale(world) : deliverAll(world)),
  PlatformBecomes: changePlatform,
  VersionBecomes: changeBehaviour,
  PodLost: losePod,
  ChildDeleted: deleteChild,
  VirtualServiceEdited: editVirtualService,
  ChildWrittenByOthers: (world, { child }) => writeBeside(world, childrenOf(world)[child]),
  NameTaken: (world, { name }) => takeName(world, name),
  NamesFreed: (world) => freeAllNames(world),
  UserEdits: (world, event) => edit(world, event.edit),
  UserDecides: (world, { decision }) => decide(world, decision),
  UserLeaves: (world, { way }) => take(world, way),
  DecisionDeleted: (world, { decision }) => removeDecision(world, decision),
};

export function happen(world: World, event: Event): World {
  const happening = happenings[event.kind] as (world: World, event: Event) => World;
  const after = happening(world, event);
  return after === world ? world : noticeRecovery(after.platform.userTraffic ? after : sidecarsHear(after));
}

function tick(world: World, ms: number): World {
  return removeEndedPods(serve({ ...world, nowMs: world.nowMs + ms }, ms));
}

function changeBehaviour(
  world: World,
  { version, behaviour }: { readonly version: Version; readonly behaviour: Behaviour },
): World {
  if (world.behaviours[version] === behaviour) return world;
  const revisions = new Set(
    world.pods.filter((pod) => pod.version === version).map(({ revision }) => revision),
  );
  const changed = { ...world, behaviours: { ...world.behaviours, [version]: behaviour } };
  return [...revisions].reduce(hurtRevision, changed);
}

/** A new pod of the gateway; istiod hands it what it has before it is ready. */
function replaceGateway(world: World, { proxy }: { readonly proxy: number }): World {
  const before = world.proxies[proxy];
  if (before?.role !== 'Gateway') return world;
  const [base = 'gateway', life = '0'] = before.name.split('#');
  return replaceProxy(world, proxy, {
    ...before,
    name: `${base}#${Number(life) + 1}`,
    condition: 'Well',
    held: offeredTo(world, 'Gateway'),
  });
}

function changePlatform(world: World, { change }: { readonly change: Partial<Platform> }): World {
  return {
    ...world,
    platform: { ...world.platform, ...change },
    operator: { ...world.operator, dirty: true },
  };
}

/** Only its requests tell of a sidecar: in a world without users each one is up to date. */
function sidecarsHear(world: World): World {
  return world.proxies.reduce((next, proxy, index) => {
    if (proxy.role !== 'Sidecar') return next;
    return learns(
      proxy.condition === 'Well' ? next : replaceProxy(next, index, { ...proxy, condition: 'Well' }),
      index,
    );
  }, world);
}

function losePod(world: World, { pod }: { readonly pod: number }): World {
  const lost = world.pods[pod];
  return lost === undefined ? world : hurtRevision(endPods(world, new Set([lost.name])), lost.revision);
}

/** The children that somebody may delete by hand, in a stable order. */
export function childrenOf(world: World): readonly KubernetesObject[] {
  return [...world.objects.keys()]
    .sort()
    .map((key) => live(world, key))
    .filter(isChild)
    .filter((object) => object !== undefined);
}

function deleteChild(world: World, { child }: { readonly child: number }): World {
  const victim = childrenOf(world)[child];
  // Snapshots are the record of what was promoted: whoever deletes those means it.
  if (victim === undefined || victim.kind === 'ControllerRevision') return world;
  const hurt = deployedRevisions(world).reduce(hurtRevision, world);
  return writeVersion(hurt, `${victim.kind}/${victim.metadata.name}`, null);
}

interface Weighted {
  readonly weight?: number;
}
interface Editable extends KubernetesObject {
  readonly spec: { readonly http: readonly { readonly route?: readonly Weighted[] }[] };
}

/** Somebody turns the shares of every VirtualService round with kubectl edit. */
function editVirtualService(world: World): World {
  return childrenOf(world)
    .filter(({ kind }) => kind === 'VirtualService')
    .reduce((next, object) => {
      const { spec } = object as Editable;
      const http = spec.http.map(({ route, ...rest }) => ({
        ...rest,
        ...(route && { route: turnedRound(route) }),
      }));
      const annotations = { ...object.metadata.annotations, [EDITED_BY_HAND]: 'true' };
      return write(next, {
        ...object,
        metadata: { ...object.metadata, annotations },
        ...{ spec: { ...spec, http } },
      });
    }, world);
}

function turnedRound(route: readonly Weighted[]): readonly Weighted[] {
  return route.map((entry, index) => {
    const { weight } = route[route.length - 1 - index] ?? {};
    return weight === undefined ? entry : { ...entry, weight };
  });
}

export function isDeleted(world: World): boolean {
  return live(world, MODEL_DEPLOYMENT_KEY) === undefined;
}
