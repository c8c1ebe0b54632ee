import type { ModelDeploymentSpec } from '../api/model-deployment.ts';

/**
 * The namespaces that see what gateways need: those of the spec and the gateways' own, since a route that its gateway
 * cannot see answers 404. Undefined, as in the spec, means all.
 */
export function visibleTo({
  exportTo,
  gateways = [],
}: ModelDeploymentSpec['traffic']): readonly string[] | undefined {
  if (exportTo === undefined || exportTo.includes('*')) return exportTo;
  const gatewayNamespaces = gateways.map((gateway) => gateway.split('/', 1).join());
  return [...new Set([...exportTo, ...gatewayNamespaces])];
}
