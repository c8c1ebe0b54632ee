import type { ModelDeployment } from '../api/model-deployment.ts';
import type { PlatformObservation } from '../plan/observed.ts';
import { istio } from './istio.ts';
import type { Router } from './router.ts';
import { service } from './service.ts';

/** Every way to move traffic, by name. */
export const routers = { istio, service } as const satisfies Readonly<Record<string, Router>>;

/** The router that moves this ModelDeployment's traffic, of what the cluster serves at this moment. */
export function routerFor({ spec }: ModelDeployment, platform: PlatformObservation): Router {
  return platform.istio && spec.traffic.router !== 'Service' ? routers.istio : routers.service;
}
