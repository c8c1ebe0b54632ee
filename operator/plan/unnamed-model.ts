import type { ModelDeploymentStatus } from '../api/model-deployment.ts';

const FIRST_LOOK_MS = 1_000;
/** Who has not answered by then is taken for one that never will. */
const LONGEST_SEARCH_MS = 600_000;

/**
 * When to ask the runtimes of the stable again, from now; undefined when the digest of its model is known, or when
 * nobody has told it for ten minutes. A busy runtime may leave a question open for as long as its rollout lasts, and
 * who converges asks nobody: status would never say which model users get. Each wait is as long as all before it.
 */
export function lookForModelMs(status: ModelDeploymentStatus | undefined, nowMs: number): number | undefined {
  const { stable, revisions = [], routing } = status ?? {};
  const isUnnamed = revisions.some(
    ({ name, readyReplicas, modelDigest }) =>
      name === stable && readyReplicas > 0 && modelDigest === undefined,
  );
  // Until then it is asked anyway.
  if (!isUnnamed || routing?.provenAt === undefined) return undefined;
  const elapsedMs = nowMs - Date.parse(routing.provenAt);
  return elapsedMs < LONGEST_SEARCH_MS ? Math.max(FIRST_LOOK_MS, elapsedMs) : undefined;
}
