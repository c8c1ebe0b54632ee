import type { StrategyName } from '../../operator/api/model-deployment.ts';
import type { Scene } from './scene.ts';

/** Neighbours only, in a cluster without Istio. */
export function withoutMesh(scene: Scene, strategy: StrategyName): void {
  const { rollout, traffic } = scene.modelDeployment.spec;
  const { hosts: _hosts, gateways: _gateways, ...rest } = traffic;
  scene.platform = { istio: false, customMetrics: true };
  scene.edits({ traffic: rest, rollout: { ...rollout, strategy } });
}
