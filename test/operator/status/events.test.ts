import { describe, expect, test } from 'vitest';
import type { PlannedEvent } from '../../../operator/plan/action.ts';
import { atFirstPause, GATEWAY_PODS, Scene, serving } from '../../support/scene.ts';

/** What is told from now on while the change takes effect. */
function told(scene: Scene, change: (scene: Scene) => Scene): readonly PlannedEvent[] {
  const before = scene.events.length;
  change(scene).rests();
  return scene.events.slice(before);
}

function reasons(events: readonly PlannedEvent[]): readonly string[] {
  return events.map(({ type, reason }) => `${type} ${reason}`);
}

describe('people are told', () => {
  test('of a rollout that begins', () => {
    const scene = serving();
    expect(told(scene, (it) => it.asksFor('v2'))).toStrictEqual([
      {
        type: 'Normal',
        reason: 'RolloutStarted',
        message: `Revision ${scene.revision('v2')} is tried against ${scene.revision('v1')}`,
      },
    ]);
  });

  test('of each step that is over, with the weight that was proven', () => {
    const scene = serving().asksFor('v2').rests();
    expect(told(scene, (it) => it.runs('v2', 1))).toStrictEqual([
      {
        type: 'Normal',
        reason: 'StepCompleted',
        message: `Step 1/4: 5 % of the traffic reaches ${scene.revision('v2')}`,
      },
    ]);
  });

  test('of a pause that only an edit ends', () => {
    const scene = serving().steps({ weight: 20 }, { pause: {} }).asksFor('v2').rests();
    const events = told(scene, (it) => it.runs('v2', 1));
    expect(reasons(events)).toStrictEqual(['Normal StepCompleted', 'Normal PausedUntilDecision']);
    expect(events.at(-1)?.message).toContain('a RolloutDecision Promote or Abort on rollout');
  });

  test('of an abort, with a warning in the words of the evidence', () => {
    const scene = atFirstPause();
    const window = { seconds: 30, requests: 10, errors: 10 };
    expect(told(scene, (it) => it.reportOf('v2-pod-0', { window }))).toStrictEqual([
      {
        type: 'Warning',
        reason: 'ErrorRateTooHigh',
        message: `Revision ${scene.revision('v2')} is given up: Revision ${scene.revision('v2')} answered 10 of its last 10 requests with an error, allowed are 5 %`,
      },
    ]);
  });

  test('of a promotion and of being Healthy, once each', () => {
    expect(reasons(told(new Scene(), (scene) => scene.runs('v1', 2)))).toStrictEqual([
      'Normal Promoted',
      'Normal Healthy',
    ]);
  });

  test.each<[string, Scene, string]>([
    ['a promotion', new Scene().runs('v1', 2), 'Promoted'],
    ['an abort', atFirstPause().pod('v2-pod-0', { crashes: 1 }), 'CrashLoop'],
  ])('of %s also when the pass that made its mark broke off behind it', (_, scene, reason) => {
    const plans = (): boolean => {
      return scene
        .plan()
        .actions.some((action) => action.kind === 'RecordEvent' && action.event.reason === reason);
    };
    while (!plans()) scene.pass();
    const [first] = scene.plan().actions;
    if (first?.kind !== 'Apply') throw new Error('the mark comes first');
    const { object } = first;
    expect(object.kind).toBe('ControllerRevision');
    scene.byHand(object.kind, object.metadata.name, object);
    expect(reasons(told(scene, (it) => it)).filter((told) => told.endsWith(` ${reason}`))).toHaveLength(1);
  });

  test('of a first revision that cannot start', () => {
    const termination = { reason: 'ModelNotFound', message: 'There is no file', exitCode: 1 };
    const pod = { ready: false, crashes: 1, lastTermination: termination };
    expect(told(new Scene().rests(), (scene) => scene.runs('v1', 1, pod))).toStrictEqual([
      { type: 'Warning', reason: 'ModelNotFound', message: 'There is no file' },
    ]);
  });

  test('of a stable that has no ready pod, and of the end of that', () => {
    const scene = serving();
    expect(reasons(told(scene, (it) => it.runs('v1', 2, { ready: false })))).toStrictEqual([
      'Warning NoReadyPods',
    ]);
    expect(reasons(told(scene, (it) => it.runs('v1', 2)))).toStrictEqual(['Normal Healthy']);
  });
});

describe('nobody is told', () => {
  test.each<readonly [string, () => Scene, (scene: Scene) => Scene]>([
    ['of time that goes by at rest', serving, (scene) => scene.later(3_600_000)],
    ['of the same pause again', atFirstPause, (scene) => scene.later(1_000)],
    [
      'of edited steps: it is the same rollout',
      atFirstPause,
      (scene) => scene.steps({ weight: 5 }, { pause: {} }, { weight: 90 }).gatewayStops(GATEWAY_PODS[0]),
    ],
    [
      'of an abort that holds',
      () => atFirstPause().pod('v2-pod-0', { crashes: 1 }).rests(),
      (scene) => scene.later(60_000),
    ],
    [
      'of a rollout that waits for pods',
      () => serving().asksFor('v2').rests(),
      (scene) => scene.later(60_000),
    ],
  ])('%s', (_of, make, change) => {
    expect(
      reasons(told(make(), change)).filter((reason) => reason !== 'Normal PausedUntilDecision'),
    ).toStrictEqual([]);
  });
});
