import { describe, expect, test } from 'vitest';
import { atFirstPause, serving, type Scene } from '../../support/scene.ts';

const MINUTE_MS = 60_000;

function settles(scene: Scene): Scene {
  return scene.rests().later(MINUTE_MS).rests().later(MINUTE_MS).rests();
}

/** `v2` was promoted after `v1`, which has no pods any more. */
function secondServes(): Scene {
  const scene = atFirstPause().decides('PromoteFull').rests().runs('v2', 2);
  return settles(settles(scene).runs('v1', 0));
}

describe('a decision in the middle of a rollout', () => {
  test('Promote passes the pause and no further', () => {
    const scene = serving().steps({ weight: 20 }, { pause: {} }, { weight: 40 }, { pause: {} }).asksFor('v2');
    scene.runs('v2', 2).rests().decides('Promote').rests();
    expect(scene.status).toMatchObject({ step: '3/4', reason: 'PausedUntilDecision', weight: '40%' });
  });

  test('PromoteFull skips the steps, but waits for the pods of all traffic', () => {
    const scene = atFirstPause().decides('PromoteFull').rests();
    expect(scene.status).toMatchObject({ reason: 'WaitingForPods', weight: '5%' });
    expect(scene.runs('v2', 2).rests().status).toMatchObject({
      phase: 'Healthy',
      stable: scene.revision('v2'),
    });
  });

  test('PromoteFull waits for the proof of every gateway', () => {
    const scene = atFirstPause()
      .runs('v2', 2)
      .gatewayStops('istio-system/gateway-a')
      .decides('PromoteFull')
      .rests();
    expect(scene.share('v2')).toBe(100);
    expect(scene.status).toMatchObject({ reason: 'RoutingUnproven', stable: scene.revision('v1') });
    expect(scene.gatewaysGoOn().rests().status.phase).toBe('Healthy');
  });

  test('PromoteFull before any traffic gives a slow start the crashes that it may have', () => {
    const scene = serving().asksFor('v2').rests().decides('PromoteFull').rests();
    scene.runs('v2', 2, { ready: false, crashes: 2 }).rests();
    expect(scene.status).toMatchObject({ phase: 'Progressing', reason: 'WaitingForPods' });
  });

  test('SkipStep goes on from what is not realised yet, without more traffic than there are pods for', () => {
    const scene = serving().asksFor('v2').rests().decides('SkipStep').rests().decides('SkipStep').rests();
    expect(scene.status).toMatchObject({ step: '2/4', reason: 'WaitingForPods', weight: '0%' });
    expect(scene.runs('v2', 1).rests().status).toMatchObject({ step: '3/4', weight: '50%' });
  });

  test('Pause holds the weights through the end of a timed pause, and Resume goes on', () => {
    const scene = atFirstPause()
      .decides('Pause', { reason: 'lunch' })
      .rests()
      .later(10 * MINUTE_MS)
      .rests();
    expect(scene.status).toMatchObject({
      phase: 'Paused',
      reason: 'PausedByDecision',
      weight: '5%',
      step: '1/4',
    });
    expect(scene.status.message).toBe(
      `Paused with 5 % on ${scene.revision('v2')} by alice (lunch): a RolloutDecision Resume on rollout ${scene.status.rolloutId} goes on, Abort stops`,
    );
    expect(scene.condition('Paused')).toBe('True');
    expect(scene.decides('Resume').rests().status).toMatchObject({ step: '3/4', weight: '50%' });
  });

  test('Pause while a weight is being raised raises it no further', () => {
    const scene = serving().asksFor('v2').rests().decides('Pause').rests().runs('v2', 2).rests();
    expect(scene.share('v2')).toBe(0);
    expect(scene.later(MINUTE_MS).rests().share('v2')).toBe(0);
    expect(scene.decides('Resume').rests().share('v2')).toBe(5);
  });

  test('Pause outlives an edit of the steps', () => {
    const scene = atFirstPause().decides('Pause').rests().steps({ weight: 60 }).runs('v2', 2).rests();
    expect(scene.status).toMatchObject({ reason: 'PausedByDecision', weight: '5%' });
  });

  test('Pause keeps no bad candidate', () => {
    const scene = atFirstPause().decides('Pause').rests().pod('v2-pod-0', { crashes: 1 }).rests();
    expect(scene.status).toMatchObject({ phase: 'Aborted', reason: 'CrashLoop' });
  });

  test('edited steps replace PromoteFull', () => {
    const scene = atFirstPause()
      .decides('PromoteFull')
      .rests()
      .steps({ weight: 5 }, { pause: {} })
      .runs('v2', 2);
    expect(scene.rests().status).toMatchObject({ reason: 'PausedUntilDecision', weight: '5%' });
  });
});

describe('Abort', () => {
  test.each<readonly [string, (scene: Scene) => Scene]>([
    ['a pause', (scene) => scene],
    ['a hold', (scene) => scene.decides('Pause').rests()],
    ['a broken stable', (scene) => scene.runs('v1', 2, { ready: false }).rests()],
    ['a broken candidate', (scene) => scene.pod('v2-pod-0', { ready: false }).rests()],
    [
      'routes that are not proven',
      (scene) => scene.gatewayStops('istio-system/gateway-a').later(MINUTE_MS).rests(),
    ],
    ['skipped steps', (scene) => scene.decides('PromoteFull').rests()],
  ])('out of %s takes all traffic back and says who', (_what, lead) => {
    const scene = lead(atFirstPause()).decides('Abort', { reason: 'wrong data' }).rests();
    expect(scene.share('v1')).toBe(100);
    expect(scene.status).toMatchObject({
      phase: 'Aborted',
      reason: 'AbortedByDecision',
      stable: scene.revision('v1'),
    });
    expect(scene.status.message).toContain('Aborted by alice: wrong data. All traffic');
    expect(scene.status.rollout).toBeUndefined();
    expect(scene.status.history?.[0]).toMatchObject({ outcome: 'Aborted', reason: 'AbortedByDecision' });
    expect(scene.status.wanted).toEqual({
      revision: scene.revision('v2'),
      modelUri: 'file:///models/v2.onnx',
      sha256: 'd'.repeat(64),
    });
  });

  test('stands when status is lost', () => {
    const scene = atFirstPause().decides('Abort').rests().losesStatus();
    expect(scene.rests().status).toMatchObject({ phase: 'Aborted', reason: 'AbortedByDecision' });
  });

  test('is no longer wanted once the spec asks for the stable again', () => {
    const scene = atFirstPause().decides('Abort').rests().asksFor('v1').rests();
    expect(scene.status).toMatchObject({ phase: 'Healthy' });
    expect(scene.status.wanted).toBeUndefined();
  });
});

describe('Retry', () => {
  test('tries again in another rollout, and history keeps both', () => {
    const scene = atFirstPause();
    const first = scene.status.rolloutId;
    scene.later(1_000).decides('Abort').rests().later(MINUTE_MS).decides('Retry').rests();
    expect(scene.status).toMatchObject({ phase: 'Paused', reason: 'PausedForATime' });
    expect(scene.status.rolloutId).not.toBe(first);
    expect(settles(scene.runs('v2', 2)).status.phase).toBe('Healthy');
    expect(scene.status.history?.map(({ outcome }) => outcome)).toEqual(['Promoted', 'Aborted', 'Promoted']);
  });

  test('right behind an Abort begins anew too, and nothing of the old rollout goes on', () => {
    const scene = atFirstPause();
    const before = scene.status.rollout;
    scene.decides('Abort').later(1_000).decides('Retry').rests();
    expect(scene.decisions.map(({ status }) => status?.phase)).toEqual(['Applied', 'Applied']);
    expect(scene.status.rollout?.revision).toBe(before?.revision);
    expect(scene.status.rolloutId).not.toBe(before?.id);
  });
});

describe('Rollback', () => {
  test('builds the pods of the earlier revision from its record and promotes it without steps', () => {
    const scene = secondServes();
    expect(scene.isMade('Deployment', 'v1')).toBe(false);
    scene.decides('Rollback', { reason: 'worse answers' }).rests();
    expect(JSON.stringify(scene.child('Deployment', scene.revision('v1')))).toContain('v1.onnx');
    expect(scene.status).toMatchObject({ reason: 'WaitingForPods', candidate: scene.revision('v1') });
    expect(scene.share('v1')).toBe(0);
    settles(scene.runs('v1', 2));
    expect(scene.share('v1')).toBe(100);
    expect(scene.status).toMatchObject({
      phase: 'Aborted',
      reason: 'RolledBack',
      stable: scene.revision('v1'),
    });
    expect(scene.status.message).toMatch(
      /^Rolled back to fraud-\w+ by alice: worse answers\. All traffic is on/,
    );
    expect(scene.condition('Available')).toBe('True');
    expect(scene.status.wanted?.modelUri).toBe('file:///models/v2.onnx');
    expect(scene.status.history?.map(({ outcome }) => outcome)).toEqual(
      expect.arrayContaining(['Promoted', 'RolledBack', 'Promoted']),
    );
  });

  test('out of the middle of a rollout gives up the candidate', () => {
    const scene = secondServes().asksFor('v3').runs('v3', 1).rests();
    settles(scene.decides('Rollback').rests().runs('v1', 2));
    expect(scene.status).toMatchObject({
      phase: 'Aborted',
      reason: 'RolledBack',
      stable: scene.revision('v1'),
    });
    expect(scene.share('v1')).toBe(100);
  });

  test('goes on from the marks when status is lost in the middle of it', () => {
    const scene = secondServes().decides('Rollback').rests().losesStatus();
    settles(scene.runs('v1', 2));
    expect(scene.status).toMatchObject({ reason: 'RolledBack', stable: scene.revision('v1') });
  });

  test('to a revision that fails leaves everybody where they are and says so', () => {
    const scene = secondServes()
      .decides('Rollback')
      .rests()
      .runs('v1', 1, { ready: false, crashes: 3 })
      .rests();
    expect(scene.share('v2')).toBe(100);
    expect(scene.status).toMatchObject({
      phase: 'Aborted',
      reason: 'CrashLoop',
      stable: scene.revision('v2'),
    });
    expect(scene.decides('Retry').rests().status).toMatchObject({
      phase: 'Healthy',
      stable: scene.revision('v2'),
    });
  });

  test('is over with another spec, which goes through the steps', () => {
    const scene = settles(secondServes().decides('Rollback').rests().runs('v1', 2))
      .asksFor('v3')
      .runs('v3', 1)
      .rests();
    expect(scene.status).toMatchObject({
      reason: 'PausedForATime',
      candidate: scene.revision('v3'),
      weight: '5%',
    });
  });

  test('is not done once more when, after another promotion, the spec asks again for what was left', () => {
    const scene = settles(secondServes().decides('Rollback').rests().runs('v1', 2));
    settles(settles(scene.asksFor('v3').runs('v3', 2)).runs('v1', 0).runs('v2', 0));
    expect(scene.status).toMatchObject({ phase: 'Healthy', stable: scene.revision('v3') });
    settles(scene.asksFor('v2').rests().runs('v1', 2));
    expect(scene.status).toMatchObject({ phase: 'Aborted', stable: scene.revision('v3') });
    expect(scene.share('v3')).toBe(100);
  });

  test('is realised by a spec that asks for the same', () => {
    const scene = settles(secondServes().decides('Rollback').rests().runs('v1', 2)).asksFor('v1').rests();
    expect(scene.status).toMatchObject({ phase: 'Healthy', stable: scene.revision('v1') });
  });

  test.each<readonly [string, (scene: Scene) => string, string]>([
    ['an unknown revision', () => 'fraud-nowhere', 'RevisionUnknown'],
    ['the stable', (scene) => scene.revision('v2'), 'AlreadyThere'],
    ['a revision that was given up before', (scene) => scene.revision('v3'), 'NeverPromoted'],
  ])('to %s is refused, with those that one may choose from', (_what, revision, reason) => {
    const scene = secondServes().asksFor('v3').runs('v3', 1).rests().decides('Abort').rests();
    scene
      .asksFor('v1')
      .runs('v1', 1)
      .rests()
      .decides('Rollback', { revision: revision(scene) })
      .rests();
    expect(scene.answer).toMatchObject({ phase: 'Refused', reason });
  });
});
