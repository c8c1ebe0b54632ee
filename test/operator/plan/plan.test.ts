import { describe, expect, test } from 'vitest';
import { needsEvidence } from '../../../operator/plan/plan.ts';
import { atFirstPause, GATEWAY_PODS, Scene, serving } from '../../support/scene.ts';

const aborted = (): Scene => {
  const scene = atFirstPause().pod('v2-pod-0', { crashes: 1, ready: false }).rests();
  return scene.later(60_000).rests().runs('v2', 0).rests();
};

const restingWorlds: readonly (readonly [string, () => Scene])[] = [
  ['serving', serving],
  ['aborted', aborted],
  [
    'promoted',
    () =>
      atFirstPause()
        .later(60_000)
        .runs('v2', 2)
        .rests()
        .later(60_000)
        .rests()
        .runs('v1', 0)
        .rests()
        .metricIs('True')
        .rests(),
  ],
  ['gone back', () => atFirstPause().asksFor('v1').rests().later(60_000).rests().runs('v2', 0).rests()],
];

describe('at rest', () => {
  test.each(restingWorlds)(
    '%s: no actions, the same status, no look ahead, nobody is asked',
    (_name, make) => {
      const scene = make();
      const later = scene.later(24 * 3_600_000);
      const { actions, status, requeueAfterMs } = later.plan();
      expect(actions).toStrictEqual([]);
      expect(status).toStrictEqual(scene.status);
      expect(requeueAfterMs).toBeUndefined();
      expect(needsEvidence(scene.modelDeployment, scene.children, scene.platform, scene.nowMs)).toBe(false);
    },
  );
});

describe('who is asked', () => {
  const isAsked = ({ modelDeployment, children, platform, nowMs }: Scene): boolean =>
    needsEvidence(modelDeployment, children, platform, nowMs);

  test.each<readonly [string, () => Scene]>([
    ['a first revision comes up, since status shows the digest of its model', () => new Scene().rests()],
    ['a rollout is under way', atFirstPause],
    ['the spec asks for something new', () => serving().asksFor('v2')],
    ['a routing is not proven', () => new Scene().runs('v1', 2).gatewayStops(GATEWAY_PODS[0]).rests()],
    ['somebody changed the routes', () => serving().byHand('VirtualService', 'fraud', undefined)],
    ['the status was lost', () => serving().losesStatus()],
    [
      'the traffic of an aborted candidate drains',
      () => atFirstPause().pod('v2-pod-0', { crashes: 1 }).rests(),
    ],
    [
      'a retired revision still has its Service',
      () => atFirstPause().asksFor('v1').rests().later(60_000).rests(),
    ],
  ])('everybody while %s', (_when, make) => {
    expect(isAsked(make())).toBe(true);
  });

  test('nobody for an edit of the scaling', () => {
    const scene = serving();
    scene.edits({ scaling: { ...scene.modelDeployment.spec.scaling, minReplicas: 3 } });
    expect(isAsked(scene)).toBe(false);
  });
});

describe('when to look again', () => {
  test('soon after a write, whose answer brings no event', () => {
    expect(new Scene().plan().requeueAfterMs).toBe(100);
  });

  test('closely while proxies learn a routing, calmly when they are late', () => {
    const scene = new Scene().runs('v1', 2).gatewayStops(GATEWAY_PODS[0]).rests();
    expect(scene.plan().requeueAfterMs).toBe(250);
    expect(scene.later(14_999).plan().requeueAfterMs).toBe(250);
    expect(scene.later(1).plan().requeueAfterMs).toBe(2_000);
  });

  test('at once after a mark, from which the next pass goes on', () => {
    expect(new Scene().runs('v1', 2).plan()).toMatchObject({
      status: { reason: 'Promoting' },
      requeueAfterMs: 0,
    });
  });

  test('not by itself when a first revision has failed: only an edit or a pod can change that', () => {
    const scene = new Scene().runs('v1', 2, { ready: false, crashes: 3 }).rests();
    expect(scene.status.phase).toBe('Degraded');
    expect(scene.plan().requeueAfterMs).toBeUndefined();
  });
});

test('a whole rollout reads as a story in its events', () => {
  const scene = atFirstPause();
  scene.later(60_000).rests().runs('v2', 2).rests().later(60_000).rests();
  expect(scene.events.map(({ reason }) => reason)).toStrictEqual([
    ...['Promoted', 'Healthy', 'RolloutStarted'],
    ...['StepCompleted', 'StepCompleted', 'StepCompleted', 'StepCompleted'],
    ...['Promoted', 'Healthy'],
  ]);
});
