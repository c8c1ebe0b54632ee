import { API_VERSION, DECISION_KIND, revisionName } from '../../operator/api/names.ts';
import type { DecisionAction, RolloutDecision } from '../../operator/api/rollout-decision.ts';
import { write, writeVersion } from './api-server.ts';
import { modelUri } from './cluster.ts';
import { liveModelDeployment, NAME, NAMESPACE, type Version, type World } from './world.ts';

/** What a user decides with kubectl, by what the status tells at that moment. */
export interface Decision {
  readonly action: DecisionAction;
  /** Left out: the rollout that status names. */
  readonly isAboutAnother?: boolean;
  /** Whether it holds at the present step alone. */
  readonly atThisStep?: boolean;
  /** For a rollback that names its goal. */
  readonly to?: Version;
}

/** What nobody has ever tried. */
export const NO_ROLLOUT = 'none-0';

export function decide(world: World, { action, isAboutAnother, atThisStep, to }: Decision): World {
  const { rolloutId = NO_ROLLOUT, rollout } = liveModelDeployment(world)?.status ?? {};
  const id = world.lastId + 1;
  const decision: RolloutDecision = {
    apiVersion: API_VERSION,
    kind: DECISION_KIND,
    metadata: {
      name: `${NAME}-${id}`,
      namespace: NAMESPACE,
      uid: `uid-${id}`,
      creationTimestamp: wholeSeconds(world.nowMs),
    },
    spec: {
      modelDeployment: NAME,
      rollout: isAboutAnother === true ? NO_ROLLOUT : rolloutId,
      action,
      decidedBy: 'alice@example.com',
      ...(atThisStep === true && rollout !== undefined && { step: rollout.stepIndex }),
      ...(to !== undefined && { revision: revisionName(NAME, { model: { uri: modelUri(to) } }) }),
    },
  };
  return write(world, decision);
}

/** As the API server writes its times. */
function wholeSeconds(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, -'.000Z'.length)}Z`;
}

/** Somebody removes a decision, answered or not. */
export function removeDecision(world: World, index: number): World {
  const decision = liveDecisions(world)[index];
  return decision === undefined
    ? world
    : writeVersion(world, `${DECISION_KIND}/${decision.metadata.name}`, null);
}

export function liveDecisions(world: World): readonly RolloutDecision[] {
  return decisionsIn(world, () => 0);
}

export function cachedDecisions(world: World): readonly RolloutDecision[] {
  return decisionsIn(world, (lag) => lag);
}

function decisionsIn({ objects }: World, versionAt: (lag: number) => number): readonly RolloutDecision[] {
  const decisions: RolloutDecision[] = [];
  for (const { versions, lag } of objects.values()) {
    const object = versions[versionAt(lag)];
    if (object?.kind === DECISION_KIND) decisions.push(object as RolloutDecision);
  }
  return decisions;
}

export function unansweredDecisions(world: World): readonly RolloutDecision[] {
  return liveDecisions(world).filter(({ status }) => status?.phase === undefined);
}
