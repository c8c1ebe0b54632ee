import type { Bed } from '../../bed/bed.ts';
import { forceDeletePod, listPods } from '../../bed/pods.ts';
import { waitFor } from '../../bed/wait.ts';
import { leaderPod, operator } from './stack.ts';

/** Ends the operator that works as a node that dies does; the one that stands by takes over. */
export async function killOperator(bed: Bed): Promise<void> {
  const leader = await waitFor('an operator leads', async () => {
    const leading = await leaderPod(bed);
    const pods = await listPods(bed, operator.namespace, operator.selector);
    return pods.find(({ name }) => name === leading);
  });
  await forceDeletePod(bed, operator.namespace, leader.name);
}
