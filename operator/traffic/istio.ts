import { shortHash } from '../api/canonical.ts';
import type { ModelDeployment } from '../api/model-deployment.ts';
import { gatewayVirtualServiceName, meshVirtualServiceName } from '../api/names.ts';
import type { KubernetesObject } from '../api/object.ts';
import { buildDestinationRule } from './istio-destination-rule.ts';
import { embeddedHash, isVirtualService, merged, routingOf, type LiveVirtualService } from './istio-live.ts';
import { buildVirtualServices } from './istio-virtual-service.ts';
import type { Router } from './router.ts';

/**
 * Routes in two VirtualServices, one for gateways and one for sidecars, because a host with a path prefix for the
 * world is a plain Service for its neighbours. Both carry the same hash, which covers both.
 */
export const istio: Router = {
  carrier: 'Proxies',
  features: new Set(['Split', 'Mirrors', 'Previews']),

  render(modelDeployment, routing) {
    const hash = contentHash(buildVirtualServices(modelDeployment, routing, ''));
    return { objects: buildVirtualServices(modelDeployment, routing, hash), hash };
  },

  policiesFor: (modelDeployment, revision) => [buildDestinationRule(modelDeployment, revision)],

  readRouting(children, modelDeployment) {
    const [first, ...others] = virtualServicesOf(children, modelDeployment).map(routingOf);
    return first && merged(first, others);
  },

  liveHash(children, modelDeployment) {
    const live = virtualServicesOf(children, modelDeployment);
    return live.length === 0 ? undefined : contentHash(live);
  },

  obsolete(children, modelDeployment) {
    if (modelDeployment.spec.traffic.gateways !== undefined) return [];
    const name = gatewayVirtualServiceName(modelDeployment.metadata.name);
    return virtualServicesOf(children, modelDeployment).filter(({ metadata }) => metadata.name === name);
  },

  obsoletePolicies: () => [],
};

/** That of the mesh first. */
function virtualServicesOf(
  children: readonly KubernetesObject[],
  { metadata }: ModelDeployment,
): readonly LiveVirtualService[] {
  const names = [meshVirtualServiceName(metadata.name), gatewayVirtualServiceName(metadata.name)];
  const all = children.filter(isVirtualService);
  return names.flatMap((name) => all.find((child) => child.metadata.name === name) ?? []);
}

/** Over everything that proxies get to see of the objects, except for the hash itself. */
function contentHash(objects: readonly LiveVirtualService[]): string {
  return shortHash(
    objects.map((object) => ({
      name: object.metadata.name,
      spec: withoutText(object.spec, embeddedHash(object) ?? ''),
    })),
  );
}

function withoutText(value: unknown, text: string): unknown {
  if (value === text) return '';
  if (Array.isArray(value)) return value.map((element) => withoutText(element, text));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutText(member, text)]));
}
