import { DECISION_ACTIONS, type DecisionAction } from '../../operator/api/rollout-decision.ts';
import type { Decision } from './decisions.ts';
import { childrenOf, type Event } from './environment.ts';
import { willWrite } from './operator.ts';
import { freeNames } from './others.ts';
import { STEPS, STRATEGIES, type StepsName, type StrategyChoice } from './user.ts';
import {
  BEHAVIOURS,
  liveModelDeployment,
  VERSIONS,
  type Behaviour,
  type Platform,
  type ProxyCondition,
  type ProxyRole,
  type World,
} from './world.ts';

/** Everything of one kind that can go wrong, or that a user can decide, in this very world. */
type Fault = (world: World) => readonly Event[];

/** By the names that the cells bear: every one of them happens in every phase. */
export const faults = {
  'the operator dies': () => [{ kind: 'OperatorDies' }],
  'the operator dies, its successor reads an old world': () => [{ kind: 'OperatorDies', seesOldWorld: true }],
  'a write is refused': (world) => (willWrite(world) ? [{ kind: 'WriteFails', isDone: false }] : []),
  'the answer to a write is lost': (world) =>
    willWrite(world) ? [{ kind: 'WriteFails', isDone: true }] : [],
  'the watch is silent': (world) => platformLoses(world, { cacheFrozen: true }),
  'a gateway learns nothing': (world) => proxiesBecome(world, 'Gateway', 'Deaf'),
  'a gateway stops': (world) => proxiesBecome(world, 'Gateway', 'Stopped'),
  'a gateway is replaced': replacedGateways,
  'a sidecar learns nothing': (world) => proxiesBecome(world, 'Sidecar', 'Deaf'),
  'the endpoints of the entry Service are late': (world) => [
    ...proxiesBecome(world, 'Plain', 'Deaf'),
    ...proxiesBecome(world, 'Endpoints', 'Deaf'),
  ],
  'the runtimes give no report': (world) => platformLoses(world, { reportsAnswer: false }),
  'the metric is gone': (world) => platformLoses(world, { metricAnswers: false }),
  'the metrics API is gone': (world) => platformLoses(world, { customMetrics: false }),
  'the Istio API is gone': (world) => platformLoses(world, { istio: false }),
  'the users go away': (world) => platformLoses(world, { userTraffic: false }),
  'a pod is lost': ({ pods }) => pods.map((_, pod) => ({ kind: 'PodLost', pod })),
  'a child is deleted by hand': deletedChildren,
  'a route is edited by hand': (world) =>
    childrenOf(world).some(({ kind }) => kind === 'VirtualService') ? [{ kind: 'VirtualServiceEdited' }] : [],
  'others write into a child': (world) =>
    childrenOf(world).map((_, child) => ({ kind: 'ChildWrittenByOthers', child })),
  'somebody takes a name': (world) => freeNames(world).map((_, name) => ({ kind: 'NameTaken', name })),
  'a model answers with errors': (world) => versionsBecome(world, 'AnswersWithErrors'),
  'a model crashes before it is ready': (world) => versionsBecome(world, 'CrashesBeforeReady'),
  'a model crashes when it is ready': (world) => versionsBecome(world, 'CrashesWhenReady'),
  'a model never gets ready': (world) => versionsBecome(world, 'NeverReady'),
  'an image is missing': (world) => versionsBecome(world, 'ImageMissing'),
  'a model file is broken': (world) => versionsBecome(world, 'ModelInvalid'),
  'the user asks for another model': otherModels,
  'the user edits the steps': otherSteps,
  'the user chooses another strategy': otherStrategies,
  'the user edits the scaling': otherScalings,
  'the user changes the gateways': (world) =>
    edits(world, [{ kind: 'UserEdits', edit: { kind: 'Gateways', used: !usesGateways(world) } }]),
  'the user chooses another router': (world) =>
    edits(
      world,
      (['Automatic', 'Service'] as const).map((router) => ({
        kind: 'UserEdits',
        edit: { kind: 'Router', router },
      })),
    ),
  'the user deletes it': (world) =>
    edits(world, [
      { kind: 'UserEdits', edit: { kind: 'Delete', foreground: true } },
      { kind: 'UserEdits', edit: { kind: 'Delete', foreground: false } },
    ]),
  'the user decides Promote': decides('Promote'),
  'the user decides PromoteFull': decides('PromoteFull'),
  'the user decides SkipStep': decides('SkipStep'),
  'the user decides Pause': decides('Pause'),
  'the user decides Resume': decides('Resume'),
  'the user decides Abort': decides('Abort'),
  'the user decides Retry': decides('Retry'),
  'the user decides Rollback': () => [
    { kind: 'UserDecides', decision: { action: 'Rollback' } },
    ...VERSIONS.map((to): Event => ({ kind: 'UserDecides', decision: { action: 'Rollback', to } })),
  ],
  'the user decides about another rollout': () =>
    DECISION_ACTIONS.map((action) => ({
      kind: 'UserDecides',
      decision: { action, isAboutAnother: true },
    })),
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof faults;
export const FAULT_NAMES = Object.keys(faults) as readonly FaultName[];

/** Of the rollout as it is, or only as long as it stands at this step. */
function decides(action: DecisionAction): Fault {
  const decisions: readonly Decision[] =
    action === 'Retry' ? [{ action }] : [{ action }, { action, atThisStep: true }];
  return () => decisions.map((decision) => ({ kind: 'UserDecides', decision }));
}

function platformLoses({ platform }: World, change: Partial<Platform>): readonly Event[] {
  const isNews = Object.entries(change).some(([name, value]) => platform[name as keyof Platform] !== value);
  return isNews ? [{ kind: 'PlatformBecomes', change }] : [];
}

function proxiesBecome({ proxies }: World, role: ProxyRole, condition: ProxyCondition): readonly Event[] {
  return proxies.flatMap((proxy, index): readonly Event[] =>
    proxy.role === role && proxy.condition !== condition
      ? [{ kind: 'ProxyBecomes', proxy: index, condition }]
      : [],
  );
}

function replacedGateways({ proxies }: World): readonly Event[] {
  return proxies.flatMap(({ role }, proxy): readonly Event[] =>
    role === 'Gateway' ? [{ kind: 'GatewayReplaced', proxy }] : [],
  );
}

function deletedChildren(world: World): readonly Event[] {
  return childrenOf(world).flatMap(({ kind }, child): readonly Event[] =>
    kind === 'ControllerRevision' ? [] : [{ kind: 'ChildDeleted', child }],
  );
}

function versionsBecome({ behaviours }: World, behaviour: Behaviour): readonly Event[] {
  return VERSIONS.filter((version) => behaviours[version] !== behaviour).map((version) => ({
    kind: 'VersionBecomes',
    version,
    behaviour,
  }));
}

/** What ends a fault of a version: also of use in the middle of a story. */
export function recoveries({ behaviours }: World): readonly Event[] {
  return VERSIONS.filter((version) => behaviours[version] !== BEHAVIOURS[0]).map((version) => ({
    kind: 'VersionBecomes',
    version,
    behaviour: BEHAVIOURS[0],
  }));
}

/** Nobody can edit what does not exist. */
function edits(world: World, wanted: readonly Event[]): readonly Event[] {
  return liveModelDeployment(world) === undefined ? [] : wanted;
}

function otherModels(world: World): readonly Event[] {
  return edits(
    world,
    VERSIONS.map((version) => ({ kind: 'UserEdits', edit: { kind: 'Model', version } })),
  );
}

function otherSteps(world: World): readonly Event[] {
  const names = Object.keys(STEPS) as readonly StepsName[];
  return edits(
    world,
    names.map((steps) => ({ kind: 'UserEdits', edit: { kind: 'Steps', steps } })),
  );
}

function otherStrategies(world: World): readonly Event[] {
  const names = Object.keys(STRATEGIES) as readonly StrategyChoice[];
  return edits(
    world,
    names.map((strategy) => ({ kind: 'UserEdits', edit: { kind: 'Strategy', strategy } })),
  );
}

const sizes = [
  { minReplicas: 1, maxReplicas: 2 },
  { minReplicas: 2, maxReplicas: 4 },
  { minReplicas: 3, maxReplicas: 5 },
];

function otherScalings(world: World): readonly Event[] {
  return edits(
    world,
    sizes.map((size) => ({ kind: 'UserEdits', edit: { kind: 'Scaling', ...size } })),
  );
}

function usesGateways(world: World): boolean {
  return liveModelDeployment(world)?.spec.traffic.gateways !== undefined;
}
