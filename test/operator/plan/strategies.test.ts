import { describe, expect, test } from 'vitest';
import type { ModelDeploymentSpec } from '../../../operator/api/model-deployment.ts';
import { mirrorOf } from '../../../operator/traffic/routing.ts';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { serving, type Scene } from '../../support/scene.ts';

type Rollout = ModelDeploymentSpec['rollout'];

const always = { abortOn: { errorRatePercent: 5, progressDeadline: '10m' }, revisionHistoryLimit: 10 };
const header = { name: 'x-preview', value: 'next' };
const MINUTE = 60_000;

/** `v1` serves with two pods and `v2` is asked for. */
function asked(rollout: Omit<Rollout, keyof typeof always>): Scene {
  return serving('v1', (scene) => scene.edits({ rollout: { ...rollout, ...always } })).asksFor('v2');
}

function blueGreen(settings: Partial<NonNullable<Rollout['blueGreen']>> = {}): Scene {
  return asked({ strategy: 'BlueGreen', blueGreen: { keepOldFor: '10m', ...settings } });
}

function shadowing(settings: Partial<NonNullable<Rollout['shadow']>> = {}): Scene {
  return asked({ strategy: 'Shadow', shadow: { percent: 40, for: '5m', then: 'Hold', ...settings } });
}

function autoscalerOf(scene: Scene, version: 'v1' | 'v2'): Record<string, unknown> | undefined {
  const autoscaler = scene.child('HorizontalPodAutoscaler', scene.revision(version)) as
    (KubernetesObject & { readonly spec?: Record<string, unknown> }) | undefined;
  return autoscaler?.spec;
}

describe('blue and green', () => {
  test('shows the candidate to nobody before it has its full size', () => {
    const scene = blueGreen({ preview: { header } }).runs('v2', 1).rests();
    expect(scene.status).toMatchObject({ reason: 'WaitingForPods', step: '0/3', weight: '0%' });
    // One pod is enough for those who ask for it.
    expect(scene.routing?.previews).toEqual([{ revision: scene.revision('v2'), match: { header } }]);
    expect(scene.runs('v2', 2).rests().status).toMatchObject({ reason: 'PausedUntilDecision', step: '1/3' });
    expect(scene.share('v2')).toBe(0);
  });

  test('needs the full size without any preview too', () => {
    const scene = blueGreen().runs('v2', 1).rests();
    expect(scene.status).toMatchObject({ reason: 'WaitingForPods', step: '0/3' });
  });

  test('gives up a candidate that does not come to its full size in time', () => {
    const scene = blueGreen()
      .runs('v2', 1)
      .rests()
      .later(10 * MINUTE)
      .rests();
    expect(scene.status.reason).toBe('ProgressDeadlineExceeded');
  });

  test('switches all users at once when the time is over, and never in part', () => {
    const scene = blueGreen({ autoPromote: { after: '5m' } })
      .runs('v2', 2)
      .rests();
    expect(scene.status.reason).toBe('PausedForATime');
    scene.later(5 * MINUTE);
    const shares = new Set<number>();
    while (scene.status.phase !== 'Healthy') {
      scene.pass();
      shares.add(scene.share('v2'));
    }
    expect([...shares]).toEqual([0, 100]);
    expect(scene.status.stable).toBe(scene.revision('v2'));
  });

  test('goes on when an edit says how long to wait', () => {
    const scene = blueGreen().runs('v2', 2).rests();
    const decided = {
      strategy: 'BlueGreen',
      blueGreen: { keepOldFor: '10m', autoPromote: { after: '1s' } },
    } as const;
    scene
      .edits({ rollout: { ...decided, ...always } })
      .rests()
      .later(1_000)
      .rests();
    expect(scene.status.stable).toBe(scene.revision('v2'));
  });
});

describe('the old side', () => {
  const switched = (): Scene =>
    blueGreen({ autoPromote: { after: '1m' } })
      .runs('v2', 2)
      .rests()
      .later(MINUTE)
      .rests();

  test('is kept, known to every proxy and at full size, for as long as the spec says', () => {
    const scene = switched()
      .later(9 * MINUTE)
      .rests();
    expect(scene.status.message).toContain(`${scene.revision('v1')} is kept for the way back until`);
    expect(scene.status.phase).toBe('Healthy');
    expect(scene.isMade('Deployment', 'v1')).toBe(true);
    expect(scene.routing?.destinations).toContainEqual({ revision: scene.revision('v1'), weight: 0 });
    expect(autoscalerOf(scene, 'v1')).toMatchObject({
      minReplicas: 2,
      behavior: { scaleDown: { selectPolicy: 'Disabled' } },
    });
  });

  test('grows with the new one, so that it could take all of its users', () => {
    const scene = switched().runs('v2', 5).rests();
    expect(autoscalerOf(scene, 'v1')).toMatchObject({ minReplicas: 5 });
  });

  test('keeps the new one from shrinking, which may have to give all users back', () => {
    expect(autoscalerOf(switched(), 'v2')).toMatchObject({
      behavior: { scaleDown: { selectPolicy: 'Disabled' } },
    });
  });

  test('drains and goes when that time is over', () => {
    const scene = switched()
      .later(10 * MINUTE)
      .rests();
    expect(scene.isMade('Deployment', 'v1')).toBe(true);
    scene.later(6_000).rests();
    expect(scene.isMade('Deployment', 'v1')).toBe(false);
    expect(scene.status.message).not.toContain('is kept');
  });

  test('takes all users back without pods, previews or waits in between', () => {
    const scene = switched().asksFor('v1');
    scene.rests();
    expect(scene.status).toMatchObject({ phase: 'Healthy', stable: scene.revision('v1') });
    expect(scene.isMade('Deployment', 'v2')).toBe(true);
  });

  test('is not waited for when it was lost: the way back then has every step', () => {
    const scene = switched()
      .later(11 * MINUTE)
      .rests()
      .later(6_000)
      .rests()
      .runs('v1', 0)
      .asksFor('v1')
      .rests();
    expect(scene.status).toMatchObject({ reason: 'WaitingForPods', step: '0/3' });
  });

  test('goes as soon as another strategy is chosen', () => {
    const scene = switched()
      .edits({ rollout: { strategy: 'Canary', ...always } })
      .rests()
      .later(6_000)
      .rests();
    expect(scene.isMade('Deployment', 'v1')).toBe(false);
  });

  test('gives way to a third revision, which needs the room', () => {
    const scene = switched().asksFor('v3').rests().later(6_000).rests();
    expect(scene.isMade('Deployment', 'v1')).toBe(false);
    expect(scene.status.candidate).toBe(scene.revision('v3'));
  });

  test('is the one before it, while that still runs, where users were being rolled back from it', () => {
    const scene = blueGreen({ autoPromote: { after: '1s' } })
      .runs('v2', 2)
      .rests()
      .later(1_000)
      .rests();
    expect(scene.status.stable).toBe(scene.revision('v2'));
    scene.decides('Rollback').pass();
    scene.asksFor('v3').runs('v3', 2).rests().later(1_000).rests();
    expect(scene.status.stable).toBe(scene.revision('v3'));
    scene.later(MINUTE).rests();
    expect([scene.isMade('Deployment', 'v1'), scene.isMade('Deployment', 'v2')]).toEqual([true, false]);
    expect(scene.status.message).toContain(`${scene.revision('v1')} is kept for the way back until`);
  });

  test('is not kept once it was given up', () => {
    const scene = switched().asksFor('v3').runs('v3', 2, { crashes: 3 }).rests();
    expect(scene.status.phase).toBe('Aborted');
    expect(scene.later(6_000).rests().isMade('Deployment', 'v3')).toBe(false);
  });
});

describe('a shadow', () => {
  const copies = (scene: Scene): number => mirrorOf(scene.routing, scene.revision('v2')) / 100;

  test('gets copies once it has the pods for them, and no users', () => {
    const scene = shadowing({ percent: 60 }).runs('v2', 1).rests();
    expect([copies(scene), scene.status.reason]).toEqual([0, 'WaitingForPods']);
    scene.runs('v2', 2).rests();
    expect([copies(scene), scene.share('v2'), scene.status.step]).toEqual([60, 0, '1/4']);
    expect(scene.status.message).toContain('Paused with a copy of 60 % on');
  });

  test('holds when its time is over', () => {
    const scene = shadowing()
      .runs('v2', 1)
      .rests()
      .later(5 * MINUTE)
      .rests();
    expect(scene.status).toMatchObject({ reason: 'PausedUntilDecision', step: '2/4' });
    expect(copies(scene)).toBe(40);
  });

  test('is promoted where the spec says so, at full size and with no copies left', () => {
    const scene = shadowing({ then: 'Promote' })
      .runs('v2', 1)
      .rests()
      .later(5 * MINUTE)
      .rests();
    expect([scene.status.reason, scene.share('v2'), copies(scene)]).toEqual(['WaitingForPods', 0, 0]);
    scene.runs('v2', 2).rests();
    expect(scene.status).toMatchObject({ phase: 'Healthy', stable: scene.revision('v2') });
  });

  test('gets no copies while none of its pods is ready (I1)', () => {
    const scene = shadowing().runs('v2', 1).rests().pod('v2-pod-0', { ready: false }).rests();
    expect([copies(scene), scene.status.reason]).toEqual([0, 'WaitingForPods']);
  });

  test('is given up for errors in its answers to copies alone', () => {
    const scene = shadowing().runs('v2', 1).rests();
    scene.reportOf('v2-pod-0', { mirrors: { requests: 50, errors: 20 } }).rests();
    expect(scene.status).toMatchObject({ phase: 'Aborted', reason: 'ErrorRateTooHigh' });
    expect(scene.status.message).toContain('answered 20 of its last 50 copies of requests with an error');
    expect(copies(scene)).toBe(0);
  });

  test('is given up for one crash while it gets copies', () => {
    const scene = shadowing().runs('v2', 1).rests();
    scene.pod('v2-pod-0', { crashes: 1, ready: false }).rests();
    expect(scene.status.reason).toBe('CrashLoop');
  });

  test('under which a canary was tried takes its users back', () => {
    const scene = serving('v1').asksFor('v2').runs('v2', 1).rests();
    expect(scene.share('v2')).toBe(5);
    scene.edits({ rollout: { strategy: 'Shadow', ...always } }).rests();
    expect([scene.share('v2'), copies(scene)]).toEqual([0, 10]);
  });
});
