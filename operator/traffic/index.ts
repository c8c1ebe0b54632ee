import type { ModelDeployment } from '../api/model-deployment.ts';
import type { PlatformObservation } from '../plan/observed.ts';
import { istio } from './istio.ts';
import type { Router } from './router.ts';

/** Every way to move traffic, by name. */
export const routers = { istio } as const satisfies Readonly<Record<string, Router>>;

/** The router that moves this ModelDeployment's traffic, of what the cluster serves at this moment. */
export const routerFor: (modelDeployment: ModelDeployment, platform: PlatformObservation) => Router = () =>
  routers.istio;
