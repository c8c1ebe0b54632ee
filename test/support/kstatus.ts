import type { ModelDeployment, ModelDeploymentStatus } from '../../operator/api/model-deployment.ts';

/** What Flux, `kubectl wait`-like tools and Argo CD's sync waits call an object. */
export type Kstatus = 'Current' | 'InProgress' | 'Failed' | 'Terminating';

/**
 * The rules of kstatus for objects of kinds that it does not know, in its order, restated from
 * https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md ("The Standard conditions" and
 * "Generic status"), which Flux's fork github.com/fluxcd/cli-utils keeps: deletion, then an unobserved generation, then
 * Reconciling and Stalled, which mean what they say only when True, then Ready; with nothing of that, Current.
 */
export function kstatusOf(
  { metadata }: Pick<ModelDeployment, 'metadata'>,
  status: ModelDeploymentStatus | undefined,
): Kstatus {
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  const observed = status?.observedGeneration;
  if (observed !== undefined && observed !== metadata.generation) return 'InProgress';
  const holds = (type: string): string | undefined =>
    status?.conditions?.find((condition) => condition.type === type)?.status;
  if (holds('Reconciling') === 'True') return 'InProgress';
  if (holds('Stalled') === 'True') return 'Failed';
  const ready = holds('Ready');
  return ready === undefined || ready === 'True' ? 'Current' : 'InProgress';
}
