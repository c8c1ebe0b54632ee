import { describe, expect, test } from 'vitest';
import type { PodObservation, Termination } from '../../../operator/plan/observed.ts';
import { atFirstPause, Scene, serving, START_MS } from '../../support/scene.ts';

const SECOND = 1_000;
const MINUTE = 60_000;

const ended = (reason: string, message = '', change: Partial<Termination> = {}): Partial<PodObservation> => ({
  ready: false,
  crashes: 1,
  lastTermination: { reason, message, exitCode: 1, ...change },
});

/** `v2` has been written and has one pod that is not ready; nobody is sent there. */
function beforeTraffic(): Scene {
  return serving().asksFor('v2').runs('v2', 1, { ready: false }).rests();
}

describe('a start that no restart can mend', () => {
  const sentences: readonly (readonly [string, string])[] = [
    ['ModelNotFound', 'There is no file at /models/v2.onnx: check spec.model.uri'],
    ['ModelSourceForbidden', 'Models may not be loaded from 10.0.0.1'],
    ['ModelTooLarge', 'The file is larger than 4294967296 bytes'],
    ['ModelDigestMismatch', 'The file has another SHA-256 digest than spec.model.sha256'],
    ['ModelInvalid', 'The file is no ONNX model: export it again'],
    ['ModelWarmUpFailed', 'The model fails on a request of its own shape'],
    ['ModelUriUnsupported', 'The scheme ftp is not supported'],
    ['ConfigurationInvalid', 'HEADGATE_QUEUE_MAX_DEPTH must be a whole number'],
  ];

  test.each(sentences)(
    '%s ends the rollout at its first crash, in the words of the runtime',
    (reason, message) => {
      const scene = beforeTraffic().pod('v2-pod-0', ended(reason, message)).rests();
      expect(scene.status).toMatchObject({ phase: 'Aborted', reason });
      expect(scene.status.message).toBe(
        `${message}. All traffic is on ${scene.revision('v1')}; change the model, runtime, resources or podTemplate, or decide Retry on rollout ${scene.status.rolloutId}, to try again`,
      );
      expect(scene.share('v1')).toBe(100);
    },
  );

  test('a pod that is ready has started after all', () => {
    const scene = beforeTraffic().pod('v2-pod-0', { ...ended('ModelNotFound'), ready: true });
    expect(scene.plan().status.phase).toBe('Progressing');
  });
});

describe('crashes', () => {
  test.each([
    { crashes: 1, phase: 'Progressing' },
    { crashes: 2, phase: 'Progressing' },
    { crashes: 3, phase: 'Aborted' },
    { crashes: 9, phase: 'Aborted' },
  ])('before it has traffic a candidate that crashed $crashes times is $phase', ({ crashes, phase }) => {
    const scene = beforeTraffic()
      .pod('v2-pod-0', { ...ended('Error'), crashes })
      .rests();
    expect(scene.status.phase).toBe(phase);
  });

  test('one crash under traffic is enough', () => {
    const scene = atFirstPause()
      .pod('v2-pod-0', ended('OOMKilled', '', { exitCode: 137 }))
      .rests();
    expect(scene.status).toMatchObject({ phase: 'Aborted', reason: 'CrashLoop' });
    expect(scene.status.message).toContain(
      `The runtime of revision ${scene.revision('v2')} ended by itself in pod v2-pod-0 (OOMKilled, exit code 137). All traffic`,
    );
  });

  test('one crash under traffic is seen although the container runs again by then', () => {
    const scene = atFirstPause()
      .pod('v2-pod-0', { ...ended('Error'), ready: true })
      .rests();
    expect(scene.status.reason).toBe('CrashLoop');
  });

  test('the crash is still one under traffic when the traffic was taken back first', () => {
    const scene = atFirstPause().pod('v2-pod-0', { ready: false }).rests();
    expect(scene.share('v2')).toBe(0);
    expect(scene.pod('v2-pod-0', ended('Error')).rests().status.reason).toBe('CrashLoop');
  });

  test('a crash whose end nobody tells of counts', () => {
    expect(atFirstPause().pod('v2-pod-0', { crashes: 1 }).rests().status.reason).toBe('CrashLoop');
  });

  test('a crash of the stable is no evidence against the candidate', () => {
    expect(atFirstPause().pod('v1-pod-0', ended('Error')).rests().status.phase).toBe('Paused');
  });

  test.each([
    {
      when: 'in the second before the rollout began',
      finishedAt: START_MS + MINUTE - SECOND - 1,
      phase: 'Paused',
    },
    { when: 'within the second of its begin', finishedAt: START_MS + MINUTE, phase: 'Aborted' },
    { when: 'later', finishedAt: START_MS + MINUTE + SECOND, phase: 'Aborted' },
  ])('a crash $when leaves a candidate with old pods $phase', ({ finishedAt, phase }) => {
    const old = { crashes: 7, lastTermination: { reason: 'Error', message: '', exitCode: 1 } };
    const scene = serving().later(MINUTE).asksFor('v2');
    const time = new Date(finishedAt).toISOString().replace(/\.\d+Z/, 'Z');
    scene.runs('v2', 1, { ...old, lastTermination: { ...old.lastTermination, finishedAt: time } }).rests();
    expect(scene.status.phase).toBe(phase);
  });

  test('only the last line of a log stands in the sentence, and not all of a long one', () => {
    const log = `Error: first\n  at main\nlast words ${'x'.repeat(300)}\n`;
    const { status } = atFirstPause().pod('v2-pod-0', ended('Error', log)).rests();
    expect(status.message).toContain(`(Error, exit code 1): last words ${'x'.repeat(189)}. All`);
  });

  test('an exit code is not told twice', () => {
    const { status } = atFirstPause().pod('v2-pod-0', ended('Error', 'it ended with exit code 1')).rests();
    expect(status.message).toContain('(Error, exit code 1). All traffic');
  });
});

describe.each([
  ['a failed download', 'ModelDownloadFailed', 'models.example.com answered 503 for /v2.onnx'],
  [
    'a model that was not loaded in time',
    'ModelLoadTimedOut',
    'the model was still being loaded after 120 s',
  ],
])('%s', (_, reason, message) => {
  const failed = ended(reason, message);

  test.each([
    { crashes: 2, phase: 'Paused' },
    { crashes: 3, phase: 'Aborted' },
  ])(
    '$crashes times in a second pod, while the first serves, leaves the rollout $phase',
    ({ crashes, phase }) => {
      const scene = atFirstPause()
        .runs('v2', 2)
        .pod('v2-pod-1', { ...failed, crashes })
        .rests();
      expect(scene.status.phase).toBe(phase);
    },
  );

  test('is told in the words of the runtime', () => {
    const scene = beforeTraffic()
      .pod('v2-pod-0', { ...failed, crashes: 3 })
      .rests();
    expect(scene.status.reason).toBe(reason);
    expect(scene.status.message?.startsWith(`${message}. `)).toBe(true);
  });
});

describe('answers with errors', () => {
  test.each([
    { errors: 0, requests: 1000, phase: 'Paused' },
    { errors: 4, requests: 4, phase: 'Paused' },
    { errors: 5, requests: 5, phase: 'Aborted' },
    { errors: 5, requests: 100, phase: 'Paused' },
    { errors: 6, requests: 100, phase: 'Aborted' },
    { errors: 50, requests: 1000, phase: 'Paused' },
    { errors: 51, requests: 1000, phase: 'Aborted' },
  ])('$errors of $requests, with 5 % allowed, leave the rollout $phase', ({ errors, requests, phase }) => {
    const window = { seconds: 30, requests, errors };
    expect(atFirstPause().reportOf('v2-pod-0', { window }).rests().status.phase).toBe(phase);
  });

  test('are summed over the pods of the candidate', () => {
    const window = { seconds: 30, requests: 30, errors: 3 };
    const scene = atFirstPause()
      .runs('v2', 2)
      .reportOf('v2-pod-0', { window })
      .reportOf('v2-pod-1', { window });
    expect(scene.rests().status.message).toContain(
      `Revision ${scene.revision('v2')} answered 6 of its last 60 requests with an error, allowed are 5 %`,
    );
  });

  test('of the stable are no evidence against the candidate', () => {
    const window = { seconds: 30, requests: 10, errors: 10 };
    expect(atFirstPause().reportOf('v1-pod-0', { window }).rests().status.phase).toBe('Paused');
  });
});

describe('the progress deadline', () => {
  test.each([
    { after: 10 * MINUTE - 1, phase: 'Progressing' },
    { after: 10 * MINUTE, phase: 'Aborted' },
  ])('is not over a moment before its time: after $after ms the rollout is $phase', ({ after, phase }) => {
    expect(beforeTraffic().later(after).rests().status.phase).toBe(phase);
  });

  test.each<readonly [string, Partial<PodObservation>, string]>([
    [
      'an image that cannot be pulled',
      { waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "v2"' } },
      'ImagePullBackOff: Back-off pulling image "v2"',
    ],
    [
      'a pod that fits on no node',
      { waiting: { reason: 'Unschedulable', message: '0/3 nodes are available' } },
      'Unschedulable: 0/3 nodes are available',
    ],
    [
      'a crash',
      { crashes: 1, lastTermination: { reason: 'Error', message: 'no memory', exitCode: 1 } },
      'Error: no memory',
    ],
    ['nothing that is known', {}, '0 of 1 pods ready'],
  ])('names %s', (_what, pod, clause) => {
    const scene = beforeTraffic()
      .pod('v2-pod-0', pod)
      .later(10 * MINUTE)
      .rests();
    expect(scene.status.reason).toBe('ProgressDeadlineExceeded');
    expect(scene.status.message).toContain(`was not ready within 10m: ${clause}`);
  });

  test('runs anew at each step', () => {
    const scene = atFirstPause().later(MINUTE).rests();
    expect(scene.status.reason).toBe('WaitingForPods');
    expect(scene.later(10 * MINUTE - 1).rests().status.phase).toBe('Progressing');
    expect(scene.later(1).rests().status.reason).toBe('ProgressDeadlineExceeded');
  });

  test('does not run while a step pauses, however long and whatever happens to the size of the stable', () => {
    const scene = serving()
      .steps({ weight: 50 }, { pause: {} }, { weight: 100 })
      .asksFor('v2')
      .runs('v2', 1)
      .rests();
    expect(scene.status.reason).toBe('PausedUntilDecision');
    expect(
      scene
        .later(60 * MINUTE)
        .runs('v1', 4)
        .rests().status.reason,
    ).toBe('PausedUntilDecision');
  });

  test('runs while the promotion waits for the last pods', () => {
    const scene = serving().steps({ weight: 100 }).asksFor('v2').runs('v2', 2);
    while (scene.status.step !== '1/1') scene.pass();
    scene.runs('v1', 3).rests();
    expect(scene.status.message).toContain('Before it is promoted');
    expect(scene.later(10 * MINUTE).rests().status.reason).toBe('ProgressDeadlineExceeded');
  });

  test('does not run while proxies are slow: that is no fault of the candidate', () => {
    const scene = serving().asksFor('v2').runs('v2', 1).gatewayStops('istio-system/gateway-b').rests();
    expect(scene.later(60 * MINUTE).rests().status).toMatchObject({
      phase: 'Progressing',
      reason: 'RoutingUnproven',
    });
  });
});

describe('the first revision, which has nothing to go back to', () => {
  const waiting = (): Scene => new Scene().runs('v1', 2, { ready: false }).rests();

  test.each<readonly [string, Partial<PodObservation>, string]>([
    ['cannot start', ended('ModelNotFound', 'There is no file'), 'ModelNotFound'],
    ['crashed three times', { ...ended('Error'), crashes: 3 }, 'CrashLoop'],
  ])('is Degraded when it %s', (_what, pod, reason) => {
    expect(waiting().pod('v1-pod-0', pod).rests().status).toMatchObject({ phase: 'Degraded', reason });
  });

  test('is Degraded after the deadline, and promoted when it becomes ready all the same', () => {
    const scene = waiting()
      .later(10 * MINUTE)
      .rests();
    expect(scene.status).toMatchObject({ phase: 'Degraded', reason: 'ProgressDeadlineExceeded' });
    expect(scene.runs('v1', 2).rests().status.phase).toBe('Healthy');
  });
});
