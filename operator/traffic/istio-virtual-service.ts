import type { ModelDeployment } from '../api/model-deployment.ts';
import {
  entryServiceName,
  gatewayVirtualServiceName,
  MESH_GATEWAY,
  meshVirtualServiceName,
  serviceHost,
} from '../api/names.ts';
import type { KubernetesObject } from '../api/object.ts';
import { childMetadata } from '../resources/child.ts';
import { previewHosts, withoutPreviewHosts } from './istio-preview.ts';
import { buildHttpRoutes, type HttpRoute } from './istio-routes.ts';
import { visibleToGateways, visibleToSidecars } from './istio-visibility.ts';
import type { Routing } from './routing.ts';

export const ISTIO_API_VERSION = 'networking.istio.io/v1';

export interface VirtualService extends KubernetesObject {
  readonly spec: {
    readonly hosts: readonly string[];
    readonly gateways: readonly string[];
    readonly http: readonly HttpRoute[];
    readonly exportTo?: readonly string[];
  };
}

/** The mesh's first, then the gateways' where the spec names any. */
export function buildVirtualServices(
  modelDeployment: ModelDeployment,
  routing: Routing,
  hash: string,
): readonly VirtualService[] {
  const { metadata, spec } = modelDeployment;
  const { gateways, hosts, pathPrefix } = spec.traffic;
  const mesh = build(modelDeployment, {
    name: meshVirtualServiceName(metadata.name),
    hosts: [serviceHost(entryServiceName(metadata.name), metadata.namespace)],
    gateways: [MESH_GATEWAY],
    // Neighbours name the Service, with and without a sidecar: the path must not depend on it.
    http: buildHttpRoutes(modelDeployment, '/', { routing: withoutPreviewHosts(routing), hash }),
    exportTo: visibleToSidecars(modelDeployment),
  });
  if (gateways === undefined) return [mesh];
  const fromGateways = build(modelDeployment, {
    name: gatewayVirtualServiceName(metadata.name),
    hosts: [...(hosts ?? []), ...previewHosts(routing)],
    gateways,
    http: buildHttpRoutes(modelDeployment, pathPrefix, { routing, hash }),
    exportTo: visibleToGateways(modelDeployment),
  });
  return [mesh, fromGateways];
}

interface Rendering extends Omit<VirtualService['spec'], 'exportTo'> {
  readonly name: string;
  readonly exportTo: readonly string[] | undefined;
}

function build(
  modelDeployment: ModelDeployment,
  { name, hosts, gateways, http, exportTo }: Rendering,
): VirtualService {
  return {
    apiVersion: ISTIO_API_VERSION,
    kind: 'VirtualService',
    metadata: childMetadata(modelDeployment, { name }),
    spec: { hosts, gateways, http, ...(exportTo !== undefined && { exportTo }) },
  };
}
