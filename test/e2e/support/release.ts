import type { Bed } from '../../bed/bed.ts';
import { waitFor } from '../../bed/wait.ts';
import { helm, operator } from './stack.ts';

/** Settled when nothing of the operator runs any more. */
export async function uninstallRelease(
  bed: Bed,
  { andDefinitions = false }: { readonly andDefinitions?: boolean } = {},
): Promise<void> {
  await helm(bed, 'uninstall', operator.name, '--ignore-not-found', '--wait', '--timeout', '120s');
  await waitFor('the operator’s pods are gone', async () => (await operatorPods(bed)) === '', {
    timeoutMs: 120_000,
  });
  if (andDefinitions) await deleteDefinitions(bed);
}

async function operatorPods(bed: Bed): Promise<string> {
  return await bed.kubectl('get', 'pods', '-n', operator.namespace, '-l', operator.selector, '-o', 'name');
}

/** And with the definitions every object of their kinds. */
export async function deleteDefinitions(bed: Bed): Promise<void> {
  const names = (await bed.kubectl('get', 'crd', '-o', 'name')).split('\n').filter(isOurs);
  if (names.length > 0) await bed.kubectl('delete', ...names, '--timeout=120s');
}

const clusterWideKinds = [
  ...['crd', 'clusterroles', 'clusterrolebindings'],
  ...['validatingadmissionpolicies', 'validatingadmissionpolicybindings'],
].join();

/** What there is of Headgate cluster-wide and in a namespace, as kubectl names it. */
export async function leftovers(bed: Bed, namespace: string): Promise<readonly string[]> {
  const clusterWide = await bed.kubectl('get', clusterWideKinds, '-o', 'name');
  const released = await objectsIn(bed, operator.namespace, `app.kubernetes.io/instance=${operator.name}`);
  const children = await objectsIn(bed, namespace, 'headgate.dev/model-deployment');
  return [...clusterWide.split('\n').filter(isOurs), ...released, ...children];
}

async function objectsIn(bed: Bed, namespace: string, selector: string): Promise<readonly string[]> {
  const kinds = [
    ...['deployments', 'replicasets', 'pods', 'services', 'configmaps', 'serviceaccounts', 'networkpolicies'],
    ...['controllerrevisions', 'horizontalpodautoscalers', 'poddisruptionbudgets', 'roles', 'rolebindings'],
    ...['virtualservices.networking.istio.io', 'destinationrules.networking.istio.io', 'leases'],
  ].join();
  const found = await bed.kubectl('get', kinds, '-n', namespace, '-l', selector, '-o', 'name');
  return found.split('\n').filter((name) => name !== '');
}

function isOurs(name: string): boolean {
  return name.includes('headgate');
}
