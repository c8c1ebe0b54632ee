import { durationMs } from '../api/duration.ts';
import { podsForShare, hasCapacityFor } from './capacity.ts';
import type { Facts, RevisionFacts } from './facts.ts';
import type { PodObservation, Termination } from './observed.ts';

/** Why a candidate cannot go on, with the evidence in a sentence. */
export interface Failure {
  readonly reason: FailureReason;
  readonly message: string;
}

/** Why a candidate was given up by itself; the first twelve are the runtime's own words. Each is told of in docs/reasons.md. */
export type FailureReason =
  | 'ModelNotFound'
  | 'ModelDownloadFailed'
  | 'ModelSourceForbidden'
  | 'ModelTooLarge'
  | 'ModelDigestMismatch'
  | 'ModelInvalid'
  | 'ModelLoadTimedOut'
  | 'ModelWarmUpFailed'
  | 'GoldenDataMismatch'
  | 'ExecutionProviderMissing'
  | 'ModelUriUnsupported'
  | 'ConfigurationInvalid'
  | 'CrashLoop'
  | 'ErrorRateTooHigh'
  | 'ProgressDeadlineExceeded';

/** Start failures of our runtime that no restart can mend: one is enough. */
const hopeless: ReadonlySet<string> = new Set<FailureReason>([
  'ModelNotFound',
  'ModelSourceForbidden',
  'ModelTooLarge',
  'ModelDigestMismatch',
  'ModelInvalid',
  'ModelWarmUpFailed',
  'GoldenDataMismatch',
  'ExecutionProviderMissing',
  'ModelUriUnsupported',
  'ConfigurationInvalid',
]);

/** Start failures of our runtime that may pass: a server that is away, a node that is busy. */
const passing: ReadonlySet<string> = new Set<FailureReason>(['ModelDownloadFailed', 'ModelLoadTimedOut']);

/** Crashes that end a rollout while the candidate gets no requests of users … */
const CRASHES_BEFORE_TRAFFIC = 3;
/** … and once it does, as they are or as copies. */
const CRASHES_WITH_TRAFFIC = 1;

/** So few errors may be chance or one odd client, whatever their share. */
const FEWEST_ERRORS = 5;

/** The last words of a crashed container may be a stack trace. */
const LONGEST_LAST_WORDS = 200;

export interface Trial {
  readonly facts: Facts;
  readonly candidate: RevisionFacts;
  /** The share of the traffic, of FULL_WEIGHT, that it has to have pods for at this step. */
  readonly share: number;
  /** Whether users' requests, as they are or as copies, have been sent to it since its rollout began. */
  readonly served: boolean;
  /** What happened before is no evidence: the pods of a revision that is gone back to may be old. */
  readonly triedSinceMs: number;
  /** Since when the candidate's present step waits for its pods; undefined while it does not. */
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

function cannotStart(trial: Trial): Failure | undefined {
  const termination = fallen(trial)
    // A pod that is ready has started after all.
    .filter(({ ready }) => !ready)
    .map(({ lastTermination }) => lastTermination)
    .find((last) => last !== undefined && hopeless.has(last.reason));
  return termination && { reason: termination.reason as FailureReason, message: termination.message };
}

function crashes(trial: Trial): Failure | undefined {
  const { candidate, served } = trial;
  const worst = fallen(trial).find((pod) => pod.crashes >= crashLimit(pod, served));
  if (worst === undefined) return undefined;
  const { lastTermination } = worst;
  if (lastTermination !== undefined && passing.has(lastTermination.reason)) {
    return { reason: lastTermination.reason as FailureReason, message: lastTermination.message };
  }
  return {
    reason: 'CrashLoop',
    message: `The runtime of revision ${candidate.name} ended by itself in pod ${worst.name}${lastWords(lastTermination)}`,
  };
}

/** Pods whose runtime has ended since the trial began, the worst first. */
function fallen({ candidate, triedSinceMs }: Trial): readonly PodObservation[] {
  return candidate.pods
    .filter(({ crashes: count, lastTermination }) => count > 0 && endedAtMs(lastTermination) >= triedSinceMs)
    .sort((left, right) => right.crashes - left.crashes);
}

/** Kubernetes drops the fraction of the second; an end at an unknown time counts as one of now. */
function endedAtMs(termination: Termination | undefined): number {
  return termination?.finishedAt === undefined ? Infinity : Date.parse(termination.finishedAt) + 999;
}

/** These come from a pod that has never been ready, while others serve: that is no crash under traffic. */
function crashLimit({ lastTermination }: PodObservation, served: boolean): number {
  return served && !passing.has(lastTermination?.reason ?? '')
    ? CRASHES_WITH_TRAFFIC
    : CRASHES_BEFORE_TRAFFIC;
}

/** Its pods are removed soon after, so the sentence has to hold what they said. */
function lastWords(termination: Termination | undefined): string {
  if (termination === undefined) return '';
  const { reason, exitCode, message } = termination;
  const last = message.trim().split('\n').at(-1)?.trim().slice(0, LONGEST_LAST_WORDS) ?? '';
  const adds = last !== '' && last !== `it ended with exit code ${exitCode}`;
  return ` (${reason}, exit code ${exitCode})${adds ? `: ${last}` : ''}`;
}

/** Answers that users got, and those to copies, each by itself: many copies must not hide what users get. */
function answersWithErrors({ facts, candidate }: Trial): Failure | undefined {
  const { errorRatePercent } = facts.modelDeployment.spec.rollout.abortOn;
  const reports = candidate.pods.flatMap(({ name }) => facts.observed.reports.get(name) ?? []);
  const told = [
    { what: 'requests', counts: reports.map(({ window }) => window) },
    { what: 'copies of requests', counts: reports.flatMap(({ mirrors }) => mirrors ?? []) },
  ].map(({ what, counts }) => ({
    what,
    errors: sum(counts.map(({ errors }) => errors)),
    requests: sum(counts.map(({ requests }) => requests)),
  }));
  const bad = told.find(
    ({ errors, requests }) => errors >= FEWEST_ERRORS && errors * 100 > requests * errorRatePercent,
  );
  return (
    bad && {
      reason: 'ErrorRateTooHigh',
      message: `Revision ${candidate.name} answered ${bad.errors} of its last ${bad.requests} ${bad.what} with an error, allowed are ${errorRatePercent} %`,
    }
  );
}

function missedDeadline({ facts, candidate, share, waitingSinceMs, nowMs }: Trial): Failure | undefined {
  const { progressDeadline } = facts.modelDeployment.spec.rollout.abortOn;
  if (waitingSinceMs === undefined || nowMs - waitingSinceMs < durationMs(progressDeadline)) return undefined;
  return {
    reason: 'ProgressDeadlineExceeded',
    message: `Revision ${candidate.name} was not ready within ${progressDeadline}: ${whyNotReady(facts, candidate, share)}`,
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
