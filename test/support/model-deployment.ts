import type { ModelDeployment, ModelDeploymentSpec, PodShape } from '../../operator/api/model-deployment.ts';
import type { Snapshot } from '../../operator/resources/controller-revision.ts';
import { newModelDeployment } from './scene.ts';

type Traffic = ModelDeploymentSpec['traffic'];

interface Changes extends Partial<Omit<ModelDeploymentSpec, 'traffic'>> {
  /** In place of the whole of it, beside its defaults. */
  readonly traffic?: Partial<Traffic>;
}

/** `fraud` in the namespace `ml`, as the API server returns it: with every default, and with these changes. */
export function modelDeploymentWith({ traffic = {}, ...changes }: Changes = {}): ModelDeployment {
  const base = newModelDeployment('fraud');
  return {
    ...base,
    spec: {
      ...base.spec,
      ...changes,
      traffic: { pathPrefix: '/', timeout: '30s', retries: { attempts: 0 }, router: 'Automatic', ...traffic },
    },
  };
}

export function snapshotOf(podShape: PodShape, runtimeImage = 'example.com/headgate-runtime:1'): Snapshot {
  return { podShape, runtimeImage };
}

export const publicTraffic: Partial<Traffic> = {
  hosts: ['fraud.example.com'],
  gateways: ['istio-system/public'],
  pathPrefix: '/fraud',
};
