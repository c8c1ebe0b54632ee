import type { ModelDeployment } from '../api/model-deployment.ts';

/** The namespaces that see what sidecars need: those of the spec. Undefined means all. */
export function visibleToSidecars({ metadata, spec }: ModelDeployment): readonly string[] | undefined {
  return spec.traffic.exportTo && distinct(spec.traffic.exportTo, metadata.namespace);
}

/**
 * The namespaces that see what gateways need: those of the spec and the gateways' own, since a route that its gateway
 * cannot see answers 404. Undefined, as in the spec, means all.
 */
export function visibleToGateways({ metadata, spec }: ModelDeployment): readonly string[] | undefined {
  const { exportTo, gateways = [] } = spec.traffic;
  if (exportTo === undefined || exportTo.includes('*')) return exportTo;
  const gatewayNamespaces = gateways.map((gateway) => gateway.split('/', 1).join());
  return distinct([...exportTo, ...gatewayNamespaces], metadata.namespace);
}

/** Istio refuses a namespace that is named twice, once as itself and once as '.'. */
function distinct(exportTo: readonly string[], own: string): readonly string[] {
  return [...new Set(exportTo.map((namespace) => (namespace === own ? '.' : namespace)))];
}
