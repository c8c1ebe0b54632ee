import { describe, expect, test } from 'vitest';
import type { RuntimeReport } from '../../../operator/plan/observed.ts';
import { DRAIN_SECONDS } from '../../../operator/plan/retirement.ts';
import { needsApply } from '../../../operator/resources/difference.ts';
import type { Scene } from '../../support/scene.ts';
import { atFirstPause, GATEWAY_PODS, serving } from '../../support/scene.ts';

const DRAIN_MS = DRAIN_SECONDS * 1_000;

/** The user went back to `v1`; every gateway has just been proven, and `v2` still runs one pod. */
function leaving(prepare: (scene: Scene) => void = () => undefined): Scene {
  const scene = atFirstPause().asksFor('v1');
  prepare(scene);
  return scene.rests();
}

describe('the pods of a revision that nobody wants any more', () => {
  test.each([
    { afterMs: DRAIN_MS - 1, isThere: true },
    { afterMs: DRAIN_MS, isThere: false },
  ])('$afterMs ms after the proof that no proxy names it are there: $isThere', ({ afterMs, isThere }) => {
    expect(leaving().later(afterMs).rests().isMade('Deployment', 'v2')).toBe(isThere);
  });

  test('stay while a gateway is not proven, for ever if need be', () => {
    const scene = leaving((it) => it.gatewayStops(GATEWAY_PODS[0]));
    expect(scene.later(3_600_000).rests().isMade('Deployment', 'v2')).toBe(true);
    expect(scene.gatewaysGoOn().rests().isMade('Deployment', 'v2')).toBe(true);
    expect(scene.later(DRAIN_MS).rests().isMade('Deployment', 'v2')).toBe(false);
  });

  test.each<readonly [string, Partial<RuntimeReport> | 'silent', boolean]>([
    ['a request came 4.9 s ago', { lastRequestSecondsAgo: 4.9 }, true],
    ['the last request came 5 s ago', { lastRequestSecondsAgo: 5 }, false],
    ['no request ever came', { lastRequestSecondsAgo: null }, false],
    ['a request is being answered', { lastRequestSecondsAgo: 60, inFlight: 1 }, true],
    ['the runtime does not say', 'silent', true],
  ])('when %s', (_when, report, isThere) => {
    const scene = leaving().reportOf('v2-pod-0', report).later(DRAIN_MS).rests();
    expect(scene.isMade('Deployment', 'v2')).toBe(isThere);
  });

  test('that are not ready get no requests and need not speak', () => {
    const scene = leaving().reportOf('v2-pod-0', 'silent').pod('v2-pod-0', { ready: false });
    expect(scene.later(DRAIN_MS).rests().isMade('Deployment', 'v2')).toBe(false);
  });

  test('are told of by a condition until the last of them is gone', () => {
    const scene = leaving();
    expect(scene.condition('Retiring')).toBe('True');
    scene.later(DRAIN_MS).rests();
    expect(scene.condition('Retiring')).toBe('True');
    expect(scene.runs('v2', 0).rests().condition('Retiring')).toBeUndefined();
  });

  test('are looked at every second', () => {
    expect(leaving().plan().requeueAfterMs).toBe(1_000);
  });
});

describe('a retired revision', () => {
  const ending = (): Scene => leaving().later(DRAIN_MS).rests();
  const reachable = ['Service', 'DestinationRule', 'PodDisruptionBudget'];

  test('loses its autoscaler and its Deployment first, and what makes it reachable with its last pod', () => {
    const scene = ending().runs('v2', 1, { terminating: true, ready: false }).rests();
    expect(['Deployment', 'HorizontalPodAutoscaler'].map((kind) => scene.isMade(kind, 'v2'))).toStrictEqual([
      false,
      false,
    ]);
    expect(reachable.map((kind) => scene.isMade(kind, 'v2'))).toStrictEqual([true, true, true]);
    scene.runs('v2', 0).rests();
    expect(reachable.map((kind) => scene.isMade(kind, 'v2'))).toStrictEqual([false, false, false]);
  });

  test('keeps its record, so that one can go back to it', () => {
    const scene = ending().runs('v2', 0).rests();
    expect(scene.isMade('ControllerRevision', 'v2')).toBe(true);
    expect(scene.asksFor('v2').runs('v2', 1).rests().share('v2')).toBe(5);
  });

  test('is not deleted again while its Deployment is on its way out', () => {
    const scene = leaving().later(DRAIN_MS);
    const live = scene.child('Deployment', scene.revision('v2'));
    if (live === undefined) throw new Error('it has a Deployment');
    const metadata = { ...live.metadata, deletionTimestamp: new Date(scene.nowMs).toISOString() };
    scene.byHand('Deployment', live.metadata.name, { ...live, metadata });
    const deleted = scene
      .plan()
      .actions.flatMap((action) => (action.kind === 'Delete' ? [action.reference.kind] : []));
    expect(deleted).toStrictEqual(['HorizontalPodAutoscaler']);
  });

  test('loses nothing before its record was found as it was seen: somebody may have promoted it since (I13)', () => {
    const scene = leaving().later(DRAIN_MS);
    const record = scene.child('ControllerRevision', scene.revision('v2'));
    const [first, ...removals] = scene.plan().actions;
    const { uid, resourceVersion } = record?.metadata ?? {};
    expect(first).toMatchObject({ kind: 'Apply', expected: { uid, resourceVersion } });
    expect(first?.kind === 'Apply' && needsApply(record, first.object)).toBe(false);
    expect(removals.map(({ kind }) => kind)).toStrictEqual(['Delete', 'Delete']);
  });

  test('is not asked for its record while there is nothing of it to remove', () => {
    const scene = ending().runs('v2', 1, { terminating: true, ready: false }).rests();
    expect(scene.plan().actions).toStrictEqual([]);
  });

  test('is deleted as it was seen: a new life of the same name, or one that somebody has written since, is another one', () => {
    const scene = leaving().later(DRAIN_MS);
    const { uid, resourceVersion } = scene.child('Deployment', scene.revision('v2'))?.metadata ?? {};
    expect(uid).toBeDefined();
    expect(resourceVersion).toBeDefined();
    const reference = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      namespace: 'ml',
      name: scene.revision('v2'),
      uid,
      resourceVersion,
    };
    expect(scene.plan().actions).toContainEqual({ kind: 'Delete', reference });
  });
});

test('the stable before it retires after a promotion, not at it', () => {
  const scene = atFirstPause().later(60_000).runs('v2', 2).rests();
  expect(scene.isMade('Deployment', 'v1')).toBe(true);
  expect(scene.later(DRAIN_MS).rests().isMade('Deployment', 'v1')).toBe(false);
});

test('nothing of the stable or of a candidate without traffic is ever removed', () => {
  const scene = serving().steps({ pause: {} }, { weight: 50 }).asksFor('v2').runs('v2', 1).rests();
  scene.later(24 * 3_600_000).rests();
  expect([scene.isMade('Deployment', 'v1'), scene.isMade('Deployment', 'v2')]).toStrictEqual([true, true]);
});
