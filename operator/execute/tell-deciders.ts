import { isNotFound } from '../controller/errors.ts';
import type { Answer } from '../decisions/answers.ts';
import type { Cluster } from '../kube/cluster.ts';

/** Writes on each decision what became of it. */
export async function tellDeciders(cluster: Cluster, answers: readonly Answer[]): Promise<void> {
  for (const { decision, status } of answers) {
    try {
      await cluster.patchStatus(decision, status);
    } catch (error) {
      // Nobody waits for the answer to a decision that was deleted.
      if (!isNotFound(error)) throw error;
    }
  }
}
