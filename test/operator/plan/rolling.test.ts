import { describe, expect, test } from 'vitest';
import { atFirstPause, GATEWAY_PODS, serving, Scene } from '../../support/scene.ts';

const [GATEWAY_A, GATEWAY_B] = GATEWAY_PODS;
const MINUTE = 60_000;

describe('a good candidate', () => {
  test('goes 5, 50, 100 % and becomes the stable, each step with its pods', () => {
    const scene = atFirstPause();
    expect(scene.share('v2')).toBe(5);
    scene.later(MINUTE).rests();
    // Half of two pods is one, all of them are two.
    expect([scene.share('v2'), scene.status.reason]).toStrictEqual([50, 'WaitingForPods']);
    scene.runs('v2', 2).rests();
    expect(scene.share('v2')).toBe(100);
    expect(scene.status).toMatchObject({ phase: 'Healthy', stable: scene.revision('v2') });
  });

  test('is promoted by name: no pod of it is changed', () => {
    const scene = atFirstPause();
    const before = scene.child('Deployment', scene.revision('v2'));
    scene.later(MINUTE).runs('v2', 2).rests();
    expect(scene.status.stable).toBe(scene.revision('v2'));
    expect(scene.child('Deployment', scene.revision('v2'))).toBe(before);
  });

  test('is staged without traffic first, and gets it only once every gateway knows it', () => {
    const scene = serving().asksFor('v2').runs('v2', 1).gatewayStops(GATEWAY_A).rests();
    expect(scene.routing?.destinations).toContainEqual({ revision: scene.revision('v2'), weight: 0 });
    scene.gatewaysGoOn().rests();
    expect(scene.share('v2')).toBe(5);
  });

  test('gets no traffic without ready pods, and the sentence says how many it needs', () => {
    const scene = serving('v1', (it) =>
      it.edits({ scaling: { ...it.modelDeployment.spec.scaling, minReplicas: 4 } }),
    );
    scene.steps({ weight: 50 }).asksFor('v2').runs('v2', 1).rests();
    expect(scene.share('v2')).toBe(0);
    expect(scene.status.message).toBe(
      `For 50 % of the traffic ${scene.revision('v2')} needs 2 ready pods: 1 of 2 pods ready`,
    );
    scene.runs('v2', 2).rests();
    expect(scene.share('v2')).toBeGreaterThanOrEqual(50);
  });
});

describe('a step', () => {
  test('does not count while one gateway is stopped: the rollout holds and names it', () => {
    const scene = atFirstPause().gatewayStops(GATEWAY_B).later(MINUTE).rests();
    expect(scene.status).toMatchObject({ phase: 'Progressing', reason: 'RoutingUnproven', step: '2/4' });
    expect(scene.status.message).toContain(`${GATEWAY_B} (no answer within 800 ms)`);
    scene
      .later(24 * 60 * MINUTE)
      .runs('v2', 2)
      .rests();
    expect(scene.status.step).toBe('2/4');
    // 50 % is asked for, 5 % is what is known.
    expect([scene.share('v2'), scene.status.weight]).toStrictEqual([50, '5%']);
    scene.gatewaysGoOn().rests();
    expect(scene.status.phase).toBe('Healthy');
  });

  test('that pauses for a time begins with the proof of its weight', () => {
    const scene = serving().asksFor('v2').runs('v2', 1);
    while (scene.share('v2') < 5) scene.pass();
    scene.gatewayStops(GATEWAY_B).later(MINUTE).rests();
    expect(scene.status.step).toBe('0/4');
    scene.gatewaysGoOn().rests();
    expect(scene.status).toMatchObject({ phase: 'Paused', reason: 'PausedForATime', step: '1/4' });
    expect(scene.later(MINUTE - 1).rests().status.step).toBe('1/4');
    expect(scene.later(1).rests().status.step).toBe('3/4');
  });

  test('that pauses looks at the candidate every second, and again when its time is over', () => {
    const scene = atFirstPause();
    expect(scene.plan().requeueAfterMs).toBe(1_000);
    expect(scene.later(MINUTE - 300).plan().requeueAfterMs).toBe(300);
  });

  test('that pauses until a decision says what decides', () => {
    const scene = serving()
      .steps({ weight: 20 }, { pause: {} }, { weight: 100 })
      .asksFor('v2')
      .runs('v2', 1)
      .rests();
    scene.later(30 * 24 * 60 * MINUTE).rests();
    expect(scene.status).toMatchObject({ phase: 'Paused', reason: 'PausedUntilDecision', step: '1/3' });
    expect(scene.status.message).toBe(
      `Paused with 20 % on ${scene.revision('v2')}, as the steps say: a RolloutDecision Promote or Abort on rollout ${scene.status.rolloutId} decides, or an edit that removes this pause or goes back to what was there before`,
    );
    expect(scene.condition('Paused')).toBe('True');
  });
});

describe('an edit in the middle of a rollout', () => {
  test('that removes the pause goes on from the weight as it is', () => {
    const scene = serving()
      .steps({ weight: 20 }, { pause: {} }, { weight: 100 })
      .asksFor('v2')
      .runs('v2', 1)
      .rests();
    const { id, startedAt } = scene.status.rollout ?? {};
    scene.steps({ weight: 20 }, { weight: 100 }).rests();
    expect(scene.status.rollout).toMatchObject({ id, startedAt, floorWeight: 2_000, stepIndex: 1 });
    expect(scene.runs('v2', 2).rests().status.phase).toBe('Healthy');
  });

  test('to smaller steps never lowers the weight', () => {
    const scene = atFirstPause().later(MINUTE).rests();
    expect(scene.share('v2')).toBe(50);
    scene.steps({ weight: 10 }, { weight: 60 }, { pause: {} });
    for (let pass = 0; pass < 10; pass += 1) {
      scene.pass();
      expect(scene.share('v2')).toBeGreaterThanOrEqual(50);
    }
  });

  test('back to the stable takes the traffic off the candidate, retires it, and is Healthy', () => {
    const scene = atFirstPause().asksFor('v1');
    scene.pass();
    expect(scene.share('v1')).toBe(100);
    scene.rests().later(MINUTE).rests().runs('v2', 0).rests();
    expect(scene.status.phase).toBe('Healthy');
    expect(
      ['Deployment', 'Service', 'HorizontalPodAutoscaler'].some((kind) => scene.isMade(kind, 'v2')),
    ).toBe(false);
    expect(scene.isMade('ControllerRevision', 'v2')).toBe(true);
  });

  test('to a third revision starts a rollout of its own, and the second stays until no proxy names it', () => {
    const scene = atFirstPause();
    const before = scene.status.rollout?.id;
    scene.asksFor('v3').runs('v3', 1).gatewayStops(GATEWAY_A);
    scene.rests().later(MINUTE).rests();
    expect(scene.share('v2')).toBe(0);
    expect(scene.status.rollout?.id).not.toBe(before);
    expect(scene.isMade('Deployment', 'v2')).toBe(true);
    scene.gatewaysGoOn().rests().later(5_000).rests();
    expect(scene.isMade('Deployment', 'v2')).toBe(false);
  });

  test('of the traffic settings applies at once, keeps the weight and is proven anew', () => {
    const scene = atFirstPause().gatewayStops(GATEWAY_B);
    scene.edits({ traffic: { ...scene.modelDeployment.spec.traffic, timeout: '7s' } }).rests();
    expect(scene.status.reason).toBe('RoutingUnproven');
    expect(JSON.stringify(scene.child('VirtualService', 'fraud'))).toContain('"timeout":"7s"');
    expect(scene.gatewaysGoOn().rests().status.step).toBe('1/4');
    expect(scene.share('v2')).toBe(5);
  });
});

describe('a candidate that has traffic and no ready pod any more', () => {
  const unready = (): Scene => atFirstPause().pod('v2-pod-0', { ready: false });

  test('gives it back in the same pass, with a sentence', () => {
    const scene = unready();
    scene.pass();
    expect(scene.share('v1')).toBe(100);
    expect(scene.status).toMatchObject({ phase: 'Progressing', reason: 'NoReadyPods' });
    expect(scene.status.message).toBe(
      `All traffic goes back to ${scene.revision('v1')} until a pod of ${scene.revision('v2')} is ready again: 0 of 1 pods ready`,
    );
  });

  test('gets it again when one is, at the step where it was', () => {
    const scene = unready().rests();
    expect(scene.status).toMatchObject({ reason: 'WaitingForPods', step: '1/4' });
    expect(scene.routing?.destinations).toContainEqual({ revision: scene.revision('v2'), weight: 0 });
    scene.pod('v2-pod-0', { ready: true }).rests();
    expect([scene.share('v2'), scene.status.step]).toStrictEqual([5, '1/4']);
  });

  test('is given up after the deadline, counted from then and not from the begin of the step', () => {
    const scene = serving()
      .steps({ weight: 20 }, { pause: {} }, { weight: 100 })
      .asksFor('v2')
      .runs('v2', 1)
      .rests();
    scene
      .later(24 * 60 * MINUTE)
      .pod('v2-pod-0', { ready: false })
      .rests();
    expect(scene.later(10 * MINUTE - 1).rests().status.phase).toBe('Progressing');
    expect(scene.later(1).rests().status).toMatchObject({
      phase: 'Aborted',
      reason: 'ProgressDeadlineExceeded',
    });
  });

  test('keeps it while others of its pods are ready', () => {
    const scene = atFirstPause().runs('v2', 2).pod('v2-pod-0', { ready: false }).rests();
    expect(scene.share('v2')).toBe(5);
  });
});

describe('a promotion', () => {
  test('waits for the full size of the stable', () => {
    const scene = serving().steps({ weight: 100 }).asksFor('v2').runs('v2', 2);
    while (scene.status.step !== '1/1') scene.pass();
    scene.runs('v1', 3).rests();
    expect(scene.status.stable).toBe(scene.revision('v1'));
    expect(scene.status.message).toBe(
      `Before it is promoted ${scene.revision('v2')} needs its full size: 2 of 3 pods ready`,
    );
    expect(scene.runs('v2', 3).rests().status.stable).toBe(scene.revision('v2'));
  });

  test('is later than the one before even by a clock that goes behind', () => {
    const scene = serving().asksFor('v2').runs('v2', 2).later(-3_600_000);
    scene.rests().later(MINUTE).rests();
    expect(scene.status).toMatchObject({ phase: 'Healthy', stable: scene.revision('v2') });
  });

  test('of a revision that was stable before is one of the same kind: there and back again', () => {
    const scene = atFirstPause().later(MINUTE).runs('v2', 2).rests();
    scene.later(MINUTE).rests().runs('v1', 0).rests();
    scene.asksFor('v1').runs('v1', 2).rests().later(MINUTE).rests();
    expect(scene.status).toMatchObject({ phase: 'Healthy', stable: scene.revision('v1') });
  });

  test('works for weights that end below 100 %: all of the traffic comes last', () => {
    const scene = serving().steps({ weight: 60 }).asksFor('v2').runs('v2', 2);
    const shares = new Set<number>();
    for (let pass = 0; pass < 20; pass += 1) {
      scene.pass();
      shares.add(scene.share('v2'));
    }
    expect([...shares]).toStrictEqual([0, 60, 100]);
    expect(scene.status.stable).toBe(scene.revision('v2'));
  });
});

describe('a rollout survives', () => {
  test('a status that is lost at a pause: it goes on from the weight as it is', () => {
    const scene = atFirstPause().losesStatus().rests();
    expect(scene.share('v2')).toBe(5);
    expect(scene.later(MINUTE).runs('v2', 2).rests().status.phase).toBe('Healthy');
  });

  test('an operator that dies in every pass before it writes a status: no weight is raised by what nobody proved', () => {
    const scene = serving().asksFor('v2').runs('v2', 2).gatewayStops(GATEWAY_A);
    for (let pass = 0; pass < 10; pass += 1) scene.pass({ crashBefore: 'Status' });
    expect(scene.share('v2')).toBe(0);
    expect(scene.gatewaysGoOn().rests().status.step).toBe('1/4');
  });

  test('a weight beyond all bounds that somebody wrote by hand', () => {
    const scene = serving().asksFor('v2').runs('v2', 2).rests();
    const live = scene.child('VirtualService', 'fraud.mesh');
    const edited = JSON.parse(
      JSON.stringify(live).replaceAll('"weight":500,', '"weight":25000,'),
    ) as NonNullable<typeof live>;
    scene.byHand('VirtualService', 'fraud.mesh', edited).losesStatus().rests();
    expect(
      scene.routing?.destinations.map(({ weight }) => weight).reduce((sum, weight) => sum + weight),
    ).toBe(10_000);
    expect(scene.routing?.destinations.every(({ weight }) => weight >= 0)).toBe(true);
  });

  test('a cluster that loses Istio: it says so and goes on when it is back', () => {
    const scene = serving().asksFor('v2').runs('v2', 2);
    scene.platform = { istio: false, customMetrics: true };
    expect(scene.rests().status).toMatchObject({ phase: 'Progressing', reason: 'IstioMissing' });
    scene.platform = { istio: true, customMetrics: true };
    expect(scene.rests().status.step).toBe('1/4');
  });
});

test('the id of a rollout is short for the longest name that is allowed, and another one each time', () => {
  const scene = new Scene('f'.repeat(52)).runs('v1', 2).rests().asksFor('v2').runs('v2', 1);
  const id = scene.rests().status.rollout?.id ?? '';
  expect(id).toMatch(/^[a-z0-9]{10}-\d{13}$/);
  scene.asksFor('v1').later(MINUTE).rests().asksFor('v2').rests();
  expect(scene.status.rollout?.revision).toBe(scene.revision('v2'));
  expect(scene.status.rollout?.id).not.toBe(id);
});
