import { FULL_WEIGHT } from '../traffic/routing.ts';
import { runningPods, type Facts, type RevisionFacts } from './facts.ts';

/**
 * How many ready pods a share of the traffic needs (I7): that share of what the stable runs at this moment, whether
 * its pods are well or not, so that a broken stable asks for no less of its successor.
 */
export function podsForShare({ modelDeployment, stable }: Facts, share: number): number {
  const { minReplicas, maxReplicas } = modelDeployment.spec.scaling;
  const stableSize = Math.max(minReplicas, stable === undefined ? 0 : runningPods(stable));
  return Math.min(Math.max(1, Math.ceil((share * stableSize) / FULL_WEIGHT)), maxReplicas);
}

export function hasCapacityFor(facts: Facts, revision: RevisionFacts, share: number): boolean {
  return revision.readyPods >= podsForShare(facts, share);
}
