import type { StrategyName } from '../../../../operator/strategies/index.ts';
import { GATEWAY } from '../stand-in-gateway.ts';

export const MODEL = 'fraud';

interface Rollout {
  /** Whose proofs come from the gateway; the others use plain Services. */
  readonly isIstio: boolean;
  readonly spec: object;
  readonly minReplicas: number;
}

/** As short as each strategy can be with all that it does: pauses of a second, a decision, a way back that is kept. */
const rollouts: Readonly<Record<StrategyName, Rollout>> = {
  Canary: {
    ...{ isIstio: true, minReplicas: 2 },
    spec: { canary: { steps: [{ weight: 10 }, { pause: {} }, { weight: 60 }, { pause: { for: '1s' } }] } },
  },
  BlueGreen: {
    ...{ isIstio: true, minReplicas: 1 },
    spec: {
      blueGreen: {
        preview: { header: { name: 'x-preview', value: 'next' } },
        autoPromote: { after: '1s' },
        keepOldFor: '2s',
      },
    },
  },
  Shadow: {
    ...{ isIstio: true, minReplicas: 1 },
    spec: { shadow: { percent: 50, for: '1s', then: 'Promote' } },
  },
  RollingUpdate: {
    ...{ isIstio: false, minReplicas: 2 },
    spec: { rollingUpdate: { surgePercent: 50 } },
  },
  Recreate: { ...{ isIstio: false, minReplicas: 1 }, spec: {} },
};

/** The spec of one version of the model in a world. */
export function specOf(strategy: StrategyName, namespace: string, version: number): object {
  const { isIstio, spec, minReplicas } = rollouts[strategy];
  return {
    model: { uri: `https://models.example.com/${MODEL}/${version}/model.onnx` },
    scaling: { minReplicas, maxReplicas: 4 },
    traffic: isIstio ? { hosts: [`${namespace}.example.com`], gateways: [GATEWAY] } : { router: 'Service' },
    rollout: { strategy, ...spec },
  };
}
