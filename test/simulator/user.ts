import { API_VERSION, KIND } from '../../operator/api/names.ts';
import type {
  CanaryStep,
  ModelDeployment,
  ModelDeploymentSpec,
} from '../../operator/api/model-deployment.ts';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { write, writeVersion } from './api-server.ts';
import { modelUri } from './cluster.ts';
import {
  liveModelDeployment,
  MODEL_DEPLOYMENT_KEY,
  NAME,
  NAMESPACE,
  type Version,
  type World,
} from './world.ts';

/** What a user does to the ModelDeployment, one kubectl command each. */
export type Edit =
  | { readonly kind: 'Model'; readonly version: Version }
  | { readonly kind: 'Steps'; readonly steps: StepsName }
  | { readonly kind: 'Strategy'; readonly strategy: StrategyChoice }
  | { readonly kind: 'Scaling'; readonly minReplicas: number; readonly maxReplicas: number }
  | { readonly kind: 'Gateways'; readonly used: boolean }
  | { readonly kind: 'Router'; readonly router: ModelDeploymentSpec['traffic']['router'] }
  | { readonly kind: 'Delete'; readonly foreground: boolean };

/** Short pauses: a story is about order, not about patience. */
export const STEPS = {
  usual: [{ weight: 5 }, { pause: { for: '2s' } }, { weight: 50 }, { weight: 100 }],
  other: [{ weight: 20 }, { pause: { for: '3s' } }, { weight: 60 }],
  paused: [{ weight: 10 }, { pause: {} }, { weight: 100 }],
  atOnce: [{ weight: 100 }],
} as const satisfies Readonly<Record<string, readonly CanaryStep[]>>;
export type StepsName = keyof typeof STEPS;

const preview = { header: { name: 'x-preview', value: 'next' } };

type Rollout = ModelDeploymentSpec['rollout'];
/** What a rollout has under every strategy. */
type Common = Pick<Rollout, 'abortOn' | 'revisionHistoryLimit'>;

/** Other ways than a canary. */
export const STRATEGIES = {
  blueGreen: {
    strategy: 'BlueGreen',
    blueGreen: { keepOldFor: '8s', autoPromote: { after: '2s' }, preview },
  },
  decidedBlueGreen: { strategy: 'BlueGreen', blueGreen: { keepOldFor: '12s' } },
  shadow: { strategy: 'Shadow', shadow: { percent: 60, for: '3s', then: 'Promote' } },
  heldShadow: { strategy: 'Shadow', shadow: { percent: 20, for: '2s', then: 'Hold' } },
  plainBlueGreen: { strategy: 'BlueGreen', blueGreen: { keepOldFor: '8s', autoPromote: { after: '2s' } } },
  rollingUpdate: { strategy: 'RollingUpdate', rollingUpdate: { surgePercent: 50 } },
  recreate: { strategy: 'Recreate' },
} as const satisfies Readonly<Record<string, Omit<Rollout, keyof Common>>>;
export type StrategyChoice = keyof typeof STRATEGIES;

const GATEWAYS = ['istio-system/public'];

export function newSpec(version: Version): ModelDeploymentSpec {
  return {
    model: { uri: modelUri(version) },
    scaling: { minReplicas: 2, maxReplicas: 4, targetP95: '100ms' },
    traffic: {
      hosts: ['fraud.example.com'],
      gateways: GATEWAYS,
      pathPrefix: '/fraud',
      timeout: '30s',
      retries: { attempts: 0 },
      router: 'Automatic',
    },
    rollout: {
      strategy: 'Canary',
      canary: { steps: [...STEPS.usual] },
      abortOn: { errorRatePercent: 5, progressDeadline: '20s' },
      revisionHistoryLimit: 10,
    },
  };
}

export function newModelDeployment(
  nowMs: number,
  traffic: ModelDeploymentSpec['traffic'] = newSpec('v1').traffic,
): ModelDeployment {
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: {
      name: NAME,
      namespace: NAMESPACE,
      uid: 'uid-0',
      generation: 1,
      creationTimestamp: new Date(nowMs).toISOString(),
    },
    spec: { ...newSpec('v1'), traffic },
  };
}

export function edit(world: World, change: Edit): World {
  const before = liveModelDeployment(world);
  if (before === undefined) return world;
  if (change.kind === 'Delete') {
    const isMarked = before.metadata.deletionTimestamp !== undefined;
    return isMarked ? world : deleteModelDeployment(world, before, change.foreground);
  }
  const spec = editedSpec(before.spec, change);
  if (JSON.stringify(spec) === JSON.stringify(before.spec)) return world;
  const { metadata } = before;
  return write(world, {
    ...before,
    ...{ spec },
    metadata: { ...metadata, generation: metadata.generation + 1 },
  });
}

function common({ abortOn, revisionHistoryLimit }: Rollout): Common {
  return { abortOn, revisionHistoryLimit };
}

function editedSpec(
  spec: ModelDeploymentSpec,
  change: Exclude<Edit, { kind: 'Delete' }>,
): ModelDeploymentSpec {
  switch (change.kind) {
    case 'Model':
      return { ...spec, model: { uri: modelUri(change.version) } };
    case 'Steps':
      return {
        ...spec,
        rollout: {
          strategy: 'Canary',
          canary: { steps: [...STEPS[change.steps]] },
          ...common(spec.rollout),
        },
      };
    case 'Strategy':
      return { ...spec, rollout: { ...STRATEGIES[change.strategy], ...common(spec.rollout) } };
    case 'Scaling': {
      const { minReplicas, maxReplicas } = change;
      return { ...spec, scaling: { ...spec.scaling, minReplicas, maxReplicas } };
    }
    case 'Gateways':
      return { ...spec, traffic: change.used ? published(spec.traffic) : withoutGateways(spec.traffic) };
    case 'Router': {
      const isService = change.router === 'Service';
      const traffic = isService ? withoutGateways(spec.traffic) : spec.traffic;
      return { ...spec, traffic: { ...traffic, router: change.router } };
    }
  }
}

type Traffic = ModelDeploymentSpec['traffic'];

/** No gateway follows a plain Service: the API server refuses both together. */
function published(traffic: Traffic): Traffic {
  return { ...traffic, hosts: ['fraud.example.com'], gateways: GATEWAYS, router: 'Automatic' };
}

function withoutGateways({ hosts: _hosts, gateways: _gateways, ...rest }: Traffic): Traffic {
  return rest;
}

/** In the foreground the object stays, marked, until its children are gone; in the background it goes first. */
function deleteModelDeployment(world: World, before: ModelDeployment, foreground: boolean): World {
  const gone = { ...world, ledger: { ...world.ledger, deleted: true } };
  if (!foreground) return writeVersion(gone, MODEL_DEPLOYMENT_KEY, null);
  const deletionTimestamp = new Date(world.nowMs).toISOString();
  const marked: KubernetesObject = { ...before, metadata: { ...before.metadata, deletionTimestamp } };
  return write(gone, marked);
}
