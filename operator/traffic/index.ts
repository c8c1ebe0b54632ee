import { istio } from './istio.ts';
import type { Router } from './router.ts';

/** Every way to move traffic, by name. */
export const routers = { istio } as const satisfies Readonly<Record<string, Router>>;

/** The router in use. Where the cluster serves no Istio, the plan asks for no routing at all. */
export const router: Router = routers.istio;
