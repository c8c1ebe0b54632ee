import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gatherFacts, type Facts } from '../../../operator/plan/facts.ts';
import { podsForShare } from '../../../operator/plan/capacity.ts';
import { plan, type Plan } from '../../../operator/plan/plan.ts';
import type { Observed } from '../../../operator/plan/observed.ts';
import { routerFor } from '../../../operator/traffic/index.ts';
import { references, weightOf, type Routing } from '../../../operator/traffic/routing.ts';
import type { Phase } from '../../../operator/api/model-deployment.ts';
import { kstatusOf, type Kstatus } from '../../support/kstatus.ts';
import { happenings } from '../../support/arbitrary.ts';
import type { Scene } from '../../support/scene.ts';
import { serving } from '../../support/scene.ts';

/** Other work may share the machine; alone these take seconds. */
const PATIENCE_MS = 120_000;

/** What one pass saw and decided. */
interface Decision {
  readonly scene: Scene;
  readonly facts: Facts;
  readonly observed: Observed;
  readonly plan: Plan;
  /** What the routes ask for once the writes are done. */
  readonly routing: Routing | undefined;
}

function decide(scene: Scene): Decision {
  const observed = scene.observed();
  const decided = plan(scene.modelDeployment, observed, scene.nowMs);
  const written = decided.actions.flatMap((action) => (action.kind === 'Apply' ? [action.object] : []));
  const routes = written.filter(({ kind }) => kind === 'VirtualService');
  return {
    ...{ scene, observed, plan: decided },
    facts: gatherFacts(scene.modelDeployment, observed),
    routing:
      routes.length === 0
        ? scene.routing
        : routerFor(scene.modelDeployment, scene.platform).readRouting(routes, scene.modelDeployment),
  };
}

type Law = (decision: Decision) => void;

const kstatusOfPhase: Readonly<Record<Phase, Kstatus>> = {
  Pending: 'InProgress',
  Progressing: 'InProgress',
  Paused: 'InProgress',
  Healthy: 'Current',
  Degraded: 'Failed',
  Aborted: 'Failed',
  Deleting: 'Terminating',
};

/** What holds in every pass of every story, whatever happens and in whatever order. */
const laws: Readonly<Record<string, Law>> = {
  'weights are whole, not negative, and sum to 10000 (I4)': ({ routing }) => {
    const weights = routing?.destinations.map(({ weight }) => weight) ?? [10_000];
    expect(weights.every((weight) => Number.isInteger(weight) && weight >= 0)).toBe(true);
    expect(weights.reduce((sum, weight) => sum + weight)).toBe(10_000);
  },

  'a weight is raised only for the stable, or for the ready pods that it needs (I1, I7)': ({
    scene,
    facts,
    routing,
  }) => {
    for (const { revision, weight } of routing?.destinations ?? []) {
      if (revision === facts.stable?.name || weight <= weightOf(scene.routing, revision)) continue;
      expect(facts.revisions.get(revision)?.readyPods).toBeGreaterThanOrEqual(podsForShare(facts, weight));
    }
  },

  'a weight is raised only for the stable, or for what every gateway has been proven to know (I3)': ({
    scene,
    facts,
    routing,
  }) => {
    const { routing: remembered } = scene.status;
    const raised = routing?.destinations.filter(
      ({ revision, weight }) => revision !== facts.stable?.name && weight > weightOf(scene.routing, revision),
    );
    if (raised === undefined || raised.length === 0) return;
    expect(raised.every(({ revision }) => references(scene.routing, revision))).toBe(true);
    const { proxies } = scene.observed().gateways;
    const isProvenNow = proxies.length > 0 && proxies.every(({ hash }) => hash === facts.askedHash);
    expect(isProvenNow || (remembered?.hash === facts.askedHash && remembered?.provenAt !== undefined)).toBe(
      true,
    );
  },

  'kstatus judges it as the phase says, and never as Current before this very spec was seen (I11)': ({
    scene: { modelDeployment },
    plan: { status },
  }) => {
    expect(kstatusOf(modelDeployment, status)).toBe(kstatusOfPhase[status.phase ?? 'Pending']);
    const { metadata } = modelDeployment;
    const edited = { metadata: { ...metadata, generation: metadata.generation + 1 } };
    expect(kstatusOf(edited, status)).not.toBe('Current');
  },

  'no weight stays on a candidate without a ready pod': ({ facts, observed, routing }) => {
    const { candidate, stable } = facts;
    if (candidate === undefined || stable === undefined || !observed.platform.istio) return;
    if (candidate.readyPods === 0) expect(weightOf(routing, candidate.name)).toBe(0);
  },

  'the same world gives the same plan, and looking changes nothing': ({ scene, plan: before }) => {
    expect(scene.plan()).toStrictEqual(before);
  },

  'Ready is said only when every gateway was proven to send all to the revision of the spec (I11)': ({
    scene,
    facts,
    observed,
    plan: { status },
  }) => {
    const isReady = status.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
    expect(isReady).toBe(status.phase === 'Healthy');
    if (status.phase !== 'Healthy' || !observed.platform.istio) return;
    expect(status.observedGeneration).toBe(scene.modelDeployment.metadata.generation);
    expect([status.stable, status.candidate]).toStrictEqual([facts.desired.name, undefined]);
    expect(weightOf(scene.routing, facts.desired.name)).toBe(10_000);
    expect([status.routing?.hash, status.routing?.provenAt]).toStrictEqual([
      facts.askedHash,
      expect.any(String),
    ]);
  },

  'an aborted revision has no weight and never gets any': ({
    facts,
    observed,
    routing,
    plan: { status },
  }) => {
    if (status.phase !== 'Aborted' || !observed.platform.istio) return;
    expect(weightOf(routing, facts.desired.name)).toBe(0);
  },

  'nothing of the stable is deleted, and no Deployment carries replicas (I6)': ({
    facts,
    plan: { actions },
  }) => {
    for (const action of actions) {
      if (action.kind === 'Delete') expect(action.reference.name).not.toBe(facts.stable?.name);
      if (action.kind === 'Apply' && action.object.kind === 'Deployment') {
        expect(JSON.stringify(action.object)).not.toContain('"replicas"');
      }
    }
  },

  'a revision that routes name, or of which a pod is busy, keeps its Deployment (I2)': ({
    scene,
    observed,
    plan: { actions },
  }) => {
    for (const action of actions) {
      if (action.kind !== 'Delete' || action.reference.kind !== 'Deployment') continue;
      const { name } = action.reference;
      expect(references(scene.routing, name)).toBe(false);
      const busy = observed.pods
        .filter(({ revision, ready }) => revision === name && ready)
        .filter((pod) => {
          const report = observed.reports.get(pod.name);
          return (
            report === undefined || report.inFlight > 0 || (report.lastRequestSecondsAgo ?? Infinity) < 5
          );
        });
      expect(busy).toStrictEqual([]);
    }
  },

  'sentences and lists fit into their fields': ({ plan: { status } }) => {
    const { message = '', revisions = [], history = [], conditions = [], rollout } = status;
    expect(message.length).toBeLessThanOrEqual(1_024);
    expect(message.length).toBeGreaterThan(0);
    expect(revisions.length).toBeLessThanOrEqual(32);
    expect(history.length).toBeLessThanOrEqual(10);
    expect(rollout?.id ?? 'an-id-of-no-rollout').toMatch(/^[a-z0-9-]{1,63}$/);
    expect(new Set(conditions.map(({ type }) => type)).size).toBe(conditions.length);
  },
};

/** Names the sentence that does not hold; the cause tells how. */
function check(decision: Decision): void {
  for (const [sentence, law] of Object.entries(laws)) {
    try {
      law(decision);
    } catch (cause) {
      throw new Error(`it does not hold that ${sentence}: ${String(cause)}`, { cause });
    }
  }
}

test('in every pass of every story every law holds', { timeout: PATIENCE_MS }, () => {
  fc.assert(
    fc.property(happenings, (story) => {
      const scene = serving();
      for (const { apply } of story) {
        apply(scene);
        check(decide(scene));
      }
    }),
    { numRuns: 100 },
  );
});

describe('from wherever a story ends', () => {
  /** Everything outside is mended: pods run and answer, gateways and Istio are there, no traffic arrives. */
  function mend(scene: Scene): void {
    scene.platform = { istio: true, customMetrics: true };
    scene.gatewaysGoOn();
    for (const version of ['v1', 'v2', 'v3'] as const) {
      scene.runs(version, scene.isMade('Deployment', version) ? 4 : 0);
      for (let pod = 0; pod < 4; pod += 1) scene.reportOf(`${version}-pod-${pod}`, {});
    }
  }

  test(
    'a world that is well leads to Healthy, Aborted, or a pause that the steps ask for, and then to rest (I12, I16)',
    { timeout: PATIENCE_MS },
    () => {
      fc.assert(
        fc.property(happenings, (story) => {
          const scene = serving();
          for (const { apply } of story) apply(scene);
          for (let round = 0; round < 8; round += 1) {
            mend(scene);
            scene.later(61_000).rests().metricIs('True');
          }
          expect(['Healthy', 'Aborted', 'PausedUntilDecision']).toContain(
            scene.status.phase === 'Paused' ? scene.status.reason : scene.status.phase,
          );
          scene.rests().later(3_600_000);
          const { actions, status } = scene.plan();
          expect(actions).toStrictEqual([]);
          expect({ ...status, p95: undefined }).toStrictEqual({ ...scene.status, p95: undefined });
        }),
        { numRuns: 40 },
      );
    },
  );
});
