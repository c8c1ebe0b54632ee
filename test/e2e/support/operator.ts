import type { Bed } from '../../bed/bed.ts';
import { forceDeletePod, listPods } from '../../bed/pods.ts';
import { waitFor } from '../../bed/wait.ts';
import { operator } from './stack.ts';

/** Ends every pod of the operator as a node that dies does. */
export async function killOperator(bed: Bed): Promise<void> {
  const pods = await waitFor('an operator runs', async () => {
    const found = await listPods(bed, operator.namespace, operator.selector);
    return found.length > 0 ? found : undefined;
  });
  await Promise.all(pods.map(({ name }) => forceDeletePod(bed, operator.namespace, name)));
}
