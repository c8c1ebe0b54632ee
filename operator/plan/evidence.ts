import { durationMs } from '../api/duration.ts';
import { FULL_WEIGHT, weightOf } from '../traffic/routing.ts';
import { podsForShare, hasCapacityFor } from './capacity.ts';
import type { Facts, RevisionFacts } from './facts.ts';
import type { PodObservation } from './observed.ts';

/** Why a candidate cannot go on, with the evidence in a sentence. */
export interface Failure {
  readonly reason: FailureReason;
  readonly message: string;
}

/** Why a candidate was given up; the first seven are the runtime's own words. Each is told of in docs/reasons.md. */
export type FailureReason =
  | 'ModelNotFound'
  | 'ModelDownloadFailed'
  | 'ModelDigestMismatch'
  | 'ModelInvalid'
  | 'ModelWarmUpFailed'
  | 'ModelUriUnsupported'
  | 'ConfigurationInvalid'
  | 'CrashLoop'
  | 'ErrorRateTooHigh'
  | 'ProgressDeadlineExceeded';

/** Start failures of our runtime that no restart can mend: one is enough. */
const hopeless: ReadonlySet<string> = new Set<FailureReason>([
  'ModelNotFound',
  'ModelDigestMismatch',
  'ModelInvalid',
  'ModelWarmUpFailed',
  'ModelUriUnsupported',
  'ConfigurationInvalid',
]);

/** Crashes that end a rollout while nobody is served by the candidate; a served one may not crash at all. */
const CRASHES_BEFORE_TRAFFIC = 3;

/** So few errors may be chance or one odd client, whatever their share. */
const FEWEST_ERRORS = 5;

export interface Trial {
  readonly facts: Facts;
  readonly candidate: RevisionFacts;
  /** Since when the candidate's present step waits for it; undefined while it does not. */
  readonly waitingSinceMs: number | undefined;
  readonly nowMs: number;
}

/** Looked at in this order, on every pass; none waits for an analysis window (DESIGN §6). */
const failures: readonly ((trial: Trial) => Failure | undefined)[] = [
  cannotStart,
  crashes,
  answersWithErrors,
  missedDeadline,
];

export function findFailure(trial: Trial): Failure | undefined {
  return failures.map((failure) => failure(trial)).find((found) => found !== undefined);
}

function cannotStart({ candidate }: Trial): Failure | undefined {
  const termination = candidate.pods
    .map((pod) => pod.lastTermination)
    .find((last) => last && hopeless.has(last.reason));
  return termination && { reason: termination.reason as FailureReason, message: termination.message };
}

function crashes({ facts, candidate }: Trial): Failure | undefined {
  const limit = weightOf(facts.askedRouting, candidate.name) > 0 ? 1 : CRASHES_BEFORE_TRAFFIC;
  const worst = candidate.pods.reduce<PodObservation | undefined>(
    (most, pod) => (pod.crashes > (most?.crashes ?? 0) ? pod : most),
    undefined,
  );
  if (worst === undefined || worst.crashes < limit) return undefined;
  const { lastTermination } = worst;
  if (lastTermination?.reason === 'ModelDownloadFailed') {
    return { reason: 'ModelDownloadFailed', message: lastTermination.message };
  }
  const how = lastTermination ? ` (${lastTermination.reason}, exit code ${lastTermination.exitCode})` : '';
  return {
    reason: 'CrashLoop',
    message: `The runtime of revision ${candidate.name} ended by itself${how}: see kubectl logs --previous ${worst.name}`,
  };
}

function answersWithErrors({ facts, candidate }: Trial): Failure | undefined {
  const { errorRatePercent } = facts.modelDeployment.spec.rollout.abortOn;
  const windows = candidate.pods.flatMap(({ name }) => facts.observed.reports.get(name)?.window ?? []);
  const errors = sum(windows.map((window) => window.errors));
  const requests = sum(windows.map((window) => window.requests));
  if (errors < FEWEST_ERRORS || errors * 100 <= requests * errorRatePercent) return undefined;
  return {
    reason: 'ErrorRateTooHigh',
    message: `Revision ${candidate.name} answered ${errors} of its last ${requests} requests with an error, allowed are ${errorRatePercent} %`,
  };
}

function missedDeadline({ facts, candidate, waitingSinceMs, nowMs }: Trial): Failure | undefined {
  const { progressDeadline } = facts.modelDeployment.spec.rollout.abortOn;
  if (waitingSinceMs === undefined || nowMs - waitingSinceMs < durationMs(progressDeadline)) return undefined;
  return {
    reason: 'ProgressDeadlineExceeded',
    message: `Revision ${candidate.name} was not ready within ${progressDeadline}: ${whyNotReady(facts, candidate, FULL_WEIGHT)}`,
  };
}

/** What its pods wait for, in one clause. */
export function whyNotReady(facts: Facts, revision: RevisionFacts, share: number): string {
  if (hasCapacityFor(facts, revision, share)) return 'it is ready now';
  const held = revision.pods.find(({ waiting }) => waiting !== undefined)?.waiting;
  if (held !== undefined) return `${held.reason}: ${held.message}`;
  const ended = revision.pods.find(({ lastTermination }) => lastTermination !== undefined)?.lastTermination;
  if (ended !== undefined) return `${ended.reason}: ${ended.message}`;
  return `${revision.readyPods} of ${podsForShare(facts, share)} pods ready`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
