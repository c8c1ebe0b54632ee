import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { gatherFacts, type Facts } from '../../../operator/plan/facts.ts';
import { podsForShare } from '../../../operator/plan/capacity.ts';
import { plan, type Plan } from '../../../operator/plan/plan.ts';
import type { Observed } from '../../../operator/plan/observed.ts';
import { router } from '../../../operator/traffic/index.ts';
import { references, weightOf, type Routing } from '../../../operator/traffic/routing.ts';
import { happenings } from '../../support/arbitrary.ts';
import { Scene, serving } from '../../support/scene.ts';

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
    routing: routes.length === 0 ? scene.routing : router.readRouting(routes, scene.modelDeployment),
  };
}

/** Checks every pass of every story: whatever happens, in whatever order. */
function inEveryPass(check: (decision: Decision) => void, start: () => Scene = serving): void {
  fc.assert(
    fc.property(happenings, (story) => {
      const scene = start();
      for (const { apply } of story) {
        apply(scene);
        check(decide(scene));
      }
    }),
    { numRuns: 60, examples: [] },
  );
}

describe('in every pass of every story', () => {
  test('weights are whole, not negative, and sum to 10000 (I4)', () => {
    inEveryPass(({ routing }) => {
      const weights = routing?.destinations.map(({ weight }) => weight) ?? [10_000];
      expect(weights.every((weight) => Number.isInteger(weight) && weight >= 0)).toBe(true);
      expect(weights.reduce((sum, weight) => sum + weight)).toBe(10_000);
    });
  });

  test('a weight is raised only for the stable, or for the ready pods that it needs (I1, I7)', () => {
    inEveryPass(({ scene, facts, routing }) => {
      for (const { revision, weight } of routing?.destinations ?? []) {
        if (revision === facts.stable?.name || weight <= weightOf(scene.routing, revision)) continue;
        expect(facts.revisions.get(revision)?.readyPods).toBeGreaterThanOrEqual(podsForShare(facts, weight));
      }
    });
  });

  test('a weight is raised only for the stable, or for what every gateway has been proven to know (I3)', () => {
    inEveryPass(({ scene, facts, routing }) => {
      const { routing: remembered } = scene.status;
      const raised = routing?.destinations.filter(
        ({ revision, weight }) =>
          revision !== facts.stable?.name && weight > weightOf(scene.routing, revision),
      );
      if (raised === undefined || raised.length === 0) return;
      expect(raised.every(({ revision }) => references(scene.routing, revision))).toBe(true);
      const { proxies } = scene.observed().gateways;
      const isProvenNow = proxies.length > 0 && proxies.every(({ hash }) => hash === facts.askedHash);
      expect(
        isProvenNow || (remembered?.hash === facts.askedHash && remembered?.provenAt !== undefined),
      ).toBe(true);
    });
  });

  test('no weight stays on a candidate without a ready pod', () => {
    inEveryPass(({ facts, observed, routing }) => {
      const { candidate, stable } = facts;
      if (candidate === undefined || stable === undefined || !observed.platform.istio) return;
      if (candidate.readyPods === 0) expect(weightOf(routing, candidate.name)).toBe(0);
    });
  });

  test('the same world gives the same plan, and looking changes nothing', () => {
    inEveryPass(({ scene, plan: before }) => {
      expect(scene.plan()).toStrictEqual(before);
    });
  });

  test('Ready is said only when every gateway was proven to send all to the revision of the spec (I11)', () => {
    inEveryPass(({ scene, facts, observed, plan: { status } }) => {
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
    });
  });

  test('an aborted revision has no weight and never gets any', () => {
    inEveryPass(({ facts, observed, routing, plan: { status } }) => {
      if (status.phase !== 'Aborted' || !observed.platform.istio) return;
      expect(weightOf(routing, facts.desired.name)).toBe(0);
    });
  });

  test('nothing of the stable is deleted, and no Deployment carries replicas (I6)', () => {
    inEveryPass(({ facts, plan: { actions } }) => {
      for (const action of actions) {
        if (action.kind === 'Delete') expect(action.reference.name).not.toBe(facts.stable?.name);
        if (action.kind === 'Apply' && action.object.kind === 'Deployment') {
          expect(JSON.stringify(action.object)).not.toContain('"replicas"');
        }
      }
    });
  });

  test('a revision that routes name, or of which a pod is busy, keeps its Deployment (I2)', () => {
    inEveryPass(({ scene, observed, plan: { actions } }) => {
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
    });
  });

  test('sentences and lists fit into their fields', () => {
    inEveryPass(({ plan: { status } }) => {
      expect(status.message?.length ?? 0).toBeLessThanOrEqual(1_024);
      expect(status.message?.length ?? 0).toBeGreaterThan(0);
      expect(status.revisions?.length ?? 0).toBeLessThanOrEqual(32);
      expect(status.rollout?.id.length ?? 0).toBeLessThanOrEqual(63);
      expect(status.history?.length ?? 0).toBeLessThanOrEqual(10);
      expect(new Set(status.conditions?.map(({ type }) => type)).size).toBe(status.conditions?.length);
    });
  });
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

  test('a world that is well leads to Healthy, Aborted, or a pause that the steps ask for, and then to rest (I12, I16)', () => {
    fc.assert(
      fc.property(happenings, (story) => {
        const scene = serving();
        for (const { apply } of story) apply(scene);
        for (let round = 0; round < 8; round += 1) {
          mend(scene);
          scene.later(61_000).rests().metricIs('True');
        }
        expect(['Healthy', 'Aborted', 'PausedUntilEdit']).toContain(
          scene.status.phase === 'Paused' ? scene.status.reason : scene.status.phase,
        );
        scene.rests().later(3_600_000);
        const { actions, status } = scene.plan();
        expect(actions).toStrictEqual([]);
        expect({ ...status, p95: undefined }).toStrictEqual({ ...scene.status, p95: undefined });
      }),
      { numRuns: 60 },
    );
  });

  test('replanning after executing is empty', () => {
    inEveryPass(({ scene }) => {
      const copy = Object.assign(new Scene(), scene);
      copy.rests();
      expect(copy.plan().actions).toStrictEqual([]);
    });
  });
});
