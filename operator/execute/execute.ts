import { isDeepStrictEqual } from 'node:util';
import type { HistoryEntry, ModelDeployment, ModelDeploymentStatus } from '../api/model-deployment.ts';
import { isNamespaceEnding, isRefusal, messageOf } from '../controller/errors.ts';
import type { Answer } from '../decisions/answers.ts';
import type { Cluster } from '../kube/cluster.ts';
import { NameTakenError } from '../kube/ownership.ts';
import type { Action, PlannedEvent } from '../plan/action.ts';
import { nameTaken, refusalEvent, refusedStatus, writeRefused, type Refusal } from '../status/refusal.ts';
import { tellDeciders } from './tell-deciders.ts';

export interface Execution {
  readonly actions: readonly Action[];
  readonly status: ModelDeploymentStatus;
  readonly answers?: readonly Answer[];
}

export interface ExecuteListeners {
  /** A rollout's end has been written into the status. */
  readonly onRolloutEnded?: (entry: HistoryEntry) => void;
  readonly onEventLost?: (event: PlannedEvent, message: string) => void;
}

/**
 * Carries out a plan in its order, up to the first failure; then writes the status if it has changed, and last what
 * became of decisions.
 */
export async function execute(
  cluster: Cluster,
  modelDeployment: ModelDeployment,
  execution: Execution,
  listeners: ExecuteListeners = {},
): Promise<void> {
  const { actions, status, answers = [] } = execution;
  const obstacle = await carryOutAll(cluster, modelDeployment, actions, listeners);
  if (obstacle !== undefined) {
    await tell(cluster, modelDeployment, { ...obstacle, planned: status, listeners });
    throw obstacle.error;
  }
  if (isStatusDifferent(modelDeployment.status, status)) {
    await cluster.patchStatus(modelDeployment, status);
    for (const entry of newEntries(modelDeployment.status?.history, status.history)) {
      listeners.onRolloutEnded?.(entry);
    }
  }
  await tellDeciders(cluster, answers);
}

/** A write that no repetition makes possible, to be told to people. */
interface Obstacle {
  readonly error: Error;
  readonly refusal: Refusal;
}

/**
 * A name that somebody else has taken stops only what would take something away: every plan is made from the objects
 * that are there, so that nothing it makes relies on the one that is missing.
 */
async function carryOutAll(
  cluster: Cluster,
  modelDeployment: ModelDeployment,
  actions: readonly Action[],
  listeners: ExecuteListeners,
): Promise<Obstacle | undefined> {
  let taken: Obstacle | undefined;
  for (const action of actions) {
    if (taken !== undefined && action.kind !== 'Apply') continue;
    try {
      await carryOut(cluster, modelDeployment, action, listeners);
    } catch (error) {
      const obstacle = obstacleOf(action, error);
      if (obstacle === undefined) throw error;
      if (obstacle.refusal.reason !== 'NameTaken') return obstacle;
      taken ??= obstacle;
    }
  }
  return taken;
}

function obstacleOf(action: Action, error: unknown): Obstacle | undefined {
  if (error instanceof NameTakenError) return { error, refusal: nameTaken(error.object) };
  if (!isRefusal(error) || isNamespaceEnding(error)) return undefined;
  return { error, refusal: writeRefused(describe(action), error.message) };
}

interface Telling extends Obstacle {
  readonly planned: ModelDeploymentStatus;
  readonly listeners: ExecuteListeners;
}

async function tell(
  cluster: Cluster,
  modelDeployment: ModelDeployment,
  { refusal, planned, listeners }: Telling,
): Promise<void> {
  const refused = refusedStatus(modelDeployment, planned, refusal, Date.now());
  const event = refusalEvent(modelDeployment, refusal);
  if (event !== undefined) await record(cluster, modelDeployment, event, listeners);
  if (isStatusDifferent(modelDeployment.status, refused)) await cluster.patchStatus(modelDeployment, refused);
}

function describe(action: Action): string {
  switch (action.kind) {
    case 'Apply':
      return `${action.object.kind} ${action.object.metadata.name}`;
    case 'Delete':
      return `to delete ${action.reference.kind} ${action.reference.name}`;
    case 'RecordEvent':
      return `event ${action.event.reason}`;
  }
}

async function carryOut(
  cluster: Cluster,
  modelDeployment: ModelDeployment,
  action: Action,
  listeners: ExecuteListeners,
): Promise<void> {
  switch (action.kind) {
    case 'Apply':
      await cluster.apply(action.object, action.expected);
      return;
    case 'Delete':
      await cluster.remove(action.reference);
      return;
    case 'RecordEvent':
      await record(cluster, modelDeployment, action.event, listeners);
  }
}

/** Only told, never needed: an abort must not wait for the event that announces it. */
async function record(
  cluster: Cluster,
  modelDeployment: ModelDeployment,
  event: PlannedEvent,
  listeners: ExecuteListeners,
): Promise<void> {
  try {
    await cluster.recordEvent(modelDeployment, event);
  } catch (error) {
    if (isNamespaceEnding(error)) throw error;
    listeners.onEventLost?.(event, messageOf(error));
  }
}

/** A latency alone is no news: it would be written at every pass for ever. */
function isStatusDifferent(old: ModelDeploymentStatus | undefined, next: ModelDeploymentStatus): boolean {
  return !isDeepStrictEqual(withoutLatency(old ?? {}), withoutLatency(next));
}

/** As JSON has it: a field that is undefined is not there. */
function withoutLatency(status: ModelDeploymentStatus): unknown {
  return JSON.parse(JSON.stringify({ ...status, p95: undefined }));
}

function newEntries(
  old: readonly HistoryEntry[] = [],
  next: readonly HistoryEntry[] = [],
): readonly HistoryEntry[] {
  return next.filter(
    (entry) => !old.some((known) => known.revision === entry.revision && known.at === entry.at),
  );
}
