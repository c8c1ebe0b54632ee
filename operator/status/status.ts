import type { ModelDeploymentStatus, RevisionStatus } from '../api/model-deployment.ts';
import { entryServiceName, serviceHost } from '../api/names.ts';
import type { Course } from '../plan/course.ts';
import { runningPods, type Facts, type RevisionFacts } from '../plan/facts.ts';
import { askedAtMs, writtenAtMs, type Proof } from '../plan/proof.ts';
import { rolloutIdOf } from '../plan/rollout-id.ts';
import { chosenStrategy } from '../strategies/index.ts';
import { FULL_WEIGHT, weightOf, type Routing } from '../traffic/routing.ts';
import { claimsOf } from './claims.ts';
import { conditionsOf } from './conditions.ts';
import { historyOf } from './history.ts';

/** The CRD bounds messages; Kubernetes' own reasons inside them can be long. */
const LONGEST_MESSAGE = 1024;
/** The CRD bounds this list too; the revisions that matter most come first. */
const MOST_REVISIONS = 32;

export interface StatusInput {
  readonly facts: Facts;
  readonly proof: Proof;
  readonly course: Course;
  /** The routing that this pass asks for. */
  readonly routing: Routing | undefined;
  readonly nowMs: number;
}

/** The whole status, rebuilt from the world on every pass; only `rollout` and `routing` are memory. */
export function buildStatus(input: StatusInput): ModelDeploymentStatus {
  const { facts, course, nowMs } = input;
  const { modelDeployment, stable } = facts;
  const { status: before = {} } = modelDeployment;
  const observedGeneration = modelDeployment.metadata.generation;
  const candidate = shownCandidate(facts);
  const message = course.message.slice(0, LONGEST_MESSAGE);
  return withoutUndefined({
    observedGeneration,
    phase: course.phase,
    reason: course.reason,
    message,
    conditions: conditionsOf(claimsOf(facts, { ...course, message }), before.conditions ?? [], {
      observedGeneration,
      nowMs,
    }),
    stable: stable?.name,
    candidate: candidate?.name,
    step: stepOf(facts, course),
    weight: candidate && `${provenWeight(input, candidate.name) / (FULL_WEIGHT / 100)}%`,
    ready: readyOf(facts),
    p95: course.rollout && latencyOf(facts, candidate),
    url: urlOf(facts),
    revisions: revisionsOf(input),
    rolloutId: rolloutIdOf(facts, course.rollout),
    rollout: course.rollout,
    wanted: wantedOf(facts),
    decisions: before.decisions,
    decisionsForgottenUntil: before.decisionsForgottenUntil,
    routing: routingOf(input),
    history: historyOf(facts, course, nowMs),
  });
}

/** What is tried, or was and is given up now. */
function shownCandidate({ stable, candidate, desired }: Facts): RevisionFacts | undefined {
  if (stable === undefined) return undefined;
  return candidate ?? (desired === stable ? undefined : desired);
}

type Sparse<T> = { readonly [Key in keyof T]: T[Key] | undefined };

function withoutUndefined(status: Sparse<ModelDeploymentStatus>): ModelDeploymentStatus {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== undefined));
}

/** Steps completed, of all; an aborted rollout keeps showing how far it came. */
function stepOf({ modelDeployment }: Facts, { rollout, phase }: Course): string | undefined {
  if (rollout === undefined) return phase === 'Aborted' ? modelDeployment.status?.step : undefined;
  return `${rollout.stepIndex}/${chosenStrategy(modelDeployment.spec.rollout).stepCount}`;
}

function readyOf({ revisions }: Facts): string {
  const running = [...revisions.values()];
  const ready = running.reduce((total, { readyPods }) => total + readyPods, 0);
  return `${ready}/${running.reduce((total, revision) => total + runningPods(revision), 0)}`;
}

function latencyOf({ observed }: Facts, revision: RevisionFacts | undefined): string | undefined {
  const latenciesMs =
    revision?.pods.flatMap(({ name }) => observed.reports.get(name)?.latencyP95Ms ?? []) ?? [];
  return latenciesMs.length === 0 ? undefined : `${Math.round(Math.max(...latenciesMs))}ms`;
}

function urlOf({ modelDeployment, stable }: Facts): string | undefined {
  if (stable === undefined) return undefined;
  const { name, namespace } = modelDeployment.metadata;
  const { hosts, pathPrefix } = modelDeployment.spec.traffic;
  const path = pathPrefix === '/' ? '' : pathPrefix;
  const [host] = hosts ?? [];
  return host === undefined
    ? `http://${serviceHost(entryServiceName(name), namespace)}`
    : `http://${host}${path}`;
}

/** What proxies are known to do (I11): a weight that is asked for but not proven yet is not shown as a fact. */
function provenWeight({ facts, proof }: StatusInput, revision: string): number {
  if (proof.kind === 'Proven') return weightOf(facts.askedRouting, revision);
  const before = facts.modelDeployment.status?.revisions?.find(({ name }) => name === revision);
  return before?.provenWeight ?? 0;
}

function revisionsOf(input: StatusInput): RevisionStatus[] {
  const { facts } = input;
  // A pass that has no say about routes leaves those that are there.
  const routing = input.routing ?? facts.askedRouting;
  return [...facts.revisions.values()]
    .filter(({ pods, name }) => pods.length > 0 || weightOf(routing, name) > 0)
    .sort((left, right) => right.number - left.number)
    .slice(0, MOST_REVISIONS)
    .map((revision) => {
      const modelDigest = digestOf(facts, revision);
      return {
        name: revision.name,
        replicas: runningPods(revision),
        readyReplicas: revision.readyPods,
        weight: weightOf(routing, revision.name),
        provenWeight: provenWeight(input, revision.name),
        ...(modelDigest !== undefined && { modelDigest }),
      };
    });
}

function digestOf({ observed, modelDeployment }: Facts, { name, pods }: RevisionFacts): string | undefined {
  const reported = pods
    .map((pod) => observed.reports.get(pod.name)?.modelDigest)
    .find((digest) => digest != null);
  return reported ?? modelDeployment.status?.revisions?.find((before) => before.name === name)?.modelDigest;
}

function routingOf({ facts, proof, routing, nowMs }: StatusInput): ModelDeploymentStatus['routing'] {
  if (routing === undefined) return facts.modelDeployment.status?.routing;
  const { hash } = facts.router.render(facts.modelDeployment, routing);
  if (hash !== facts.askedHash) return { hash, askedAt: new Date(nowMs).toISOString() };
  const { status } = facts.modelDeployment;
  // Nothing is to be learned of what was proven, be it by an earlier release, whose status tells less (I16).
  if (status?.routing?.hash === hash && status.routing.provenAt !== undefined) return status.routing;
  return {
    hash,
    askedAt: new Date(askedAtMs(facts, status, nowMs)).toISOString(),
    writtenAt: new Date(writtenAtMs(facts, status, nowMs)).toISOString(),
    ...(proof.kind === 'Proven' && { provenAt: new Date(proof.sinceMs).toISOString() }),
  };
}

/** What the spec, and so Git, asks for while users get something else. */
function wantedOf(facts: Facts): ModelDeploymentStatus['wanted'] {
  const { desired, stable, modelDeployment } = facts;
  if (stable === undefined || desired === stable) return undefined;
  const { uri, sha256 } = desired.snapshot.podShape.model;
  const { wanted: before } = modelDeployment.status ?? {};
  const digest =
    sha256 ?? digestOf(facts, desired) ?? (before?.revision === desired.name ? before.sha256 : undefined);
  return { revision: desired.name, modelUri: uri, ...(digest !== undefined && { sha256: digest }) };
}
