import { describe, expect, test } from 'vitest';
import { MOST_DECISIONS } from '../../../operator/api/model-deployment.ts';
import { answersWithoutModel } from '../../../operator/decisions/answers.ts';
import { atFirstPause, serving, type Scene } from '../../support/scene.ts';

const MINUTE_MS = 60_000;

function atPauses(): Scene {
  return serving()
    .steps({ weight: 20 }, { pause: {} }, { pause: {} }, { pause: {} }, { weight: 100 })
    .asksFor('v2')
    .runs('v2', 2)
    .rests();
}

/** All of the decisions as a cache shows them that has not heard of any answer. */
function forgetsAnswers(scene: Scene): Scene {
  for (const { status: _answer, ...decision } of scene.decisions) scene.withDecision(decision);
  return scene;
}

describe('a decision fires once', () => {
  test('with the very write that records it, before anybody is told', () => {
    const scene = atPauses().decides('Promote');
    const plan = scene.pass({ crashBefore: 'Answers' });
    expect(plan.actions.map(({ kind }) => kind)).toEqual(['RecordEvent']);
    expect(scene.status.rollout?.stepIndex).toBe(2);
    expect(scene.answer).toBeUndefined();
  });

  test('when the operator dies before it is recorded', () => {
    const scene = atPauses().decides('Promote');
    scene.pass({ crashBefore: 'Status' });
    expect(scene.rests().status.step).toBe('2/5');
    expect(scene.answer).toMatchObject({ phase: 'Applied' });
  });

  test('when the operator dies between its effect and its answer', () => {
    const scene = atPauses().decides('Promote');
    scene.pass({ crashBefore: 'Answers' });
    expect(scene.rests().status.step).toBe('2/5');
    expect(scene.answer).toMatchObject({ phase: 'Applied', reason: 'AsDecided' });
  });

  test('although a cache shows it without its answer', () => {
    const scene = forgetsAnswers(atPauses().decides('Promote').rests()).rests();
    expect(scene.status.step).toBe('2/5');
  });

  test('although a cache shows more of them than are remembered', () => {
    const scene = atPauses().decides('Promote').rests();
    for (let count = 0; count < 3 * MOST_DECISIONS; count += 1) scene.later(1_000).decides('Resume').rests();
    expect(scene.status.decisions).toHaveLength(MOST_DECISIONS);
    expect(forgetsAnswers(scene).rests().status.step).toBe('2/5');
  });

  test('although a cache shows more of one second than are remembered, and each gets an answer', () => {
    const scene = atPauses().decides('Promote');
    for (let count = 0; count < 2 * MOST_DECISIONS; count += 1) scene.decides('Resume');
    scene.rests();
    const reasons = scene.decisions.map(({ status }) => status?.reason);
    // What comes after the first that is forgotten could not be told from it.
    expect(reasons.filter((reason) => reason === 'AsDecided')).toHaveLength(1);
    expect(reasons.filter((reason) => reason === 'NotPaused')).toHaveLength(MOST_DECISIONS);
    expect(reasons.filter((reason) => reason === 'NotRemembered')).toHaveLength(MOST_DECISIONS);
    expect(forgetsAnswers(scene).rests().status.step).toBe('2/5');
    expect(scene.later(1_000).decides('Promote').rests().status.step).toBe('3/5');
  });

  test('and never in the rollout that comes back to the same revision', () => {
    const scene = atPauses().later(MINUTE_MS).decides('Promote');
    scene.pass({ crashBefore: 'Answers' });
    scene.asksFor('v1').later(MINUTE_MS).rests().asksFor('v2').later(MINUTE_MS).rests();
    expect(scene.status).toMatchObject({ step: '1/5', reason: 'PausedUntilDecision' });
    forgetsAnswers(scene.withModelDeployment({ status: { ...scene.status, decisions: [] } })).rests();
    expect(scene.status.step).toBe('1/5');
    expect(scene.answer).toMatchObject({ phase: 'Expired', reason: 'RolloutOver' });
  });

  test.each(['Abort', 'Rollback'] as const)('%s never hits the rollout after it', (action) => {
    const scene = atPauses().later(MINUTE_MS).decides('PromoteFull').rests().later(MINUTE_MS).asksFor('v3');
    scene.runs('v3', 2).rests().later(MINUTE_MS).decides(action);
    scene.pass({ crashBefore: 'Answers' });
    const [answered] = scene.status.decisions ?? [];
    expect(answered).toMatchObject({ phase: 'Applied' });
    scene.runs('v1', 2).rests().later(MINUTE_MS).rests().decides('Retry').rests();
    expect(scene.status.rollout).toMatchObject({ revision: scene.revision('v3') });
    const { step } = scene.status;
    forgetsAnswers(scene).rests();
    expect(scene.status.step).toBe(step);
  });
});

describe('decisions are heard', () => {
  test('in the order in which they were made', () => {
    const scene = atPauses().decides('Pause').later(1_000).decides('Promote').rests();
    expect(scene.decisions.map(({ status }) => status?.reason)).toEqual(['AsDecided', 'PausedByDecision']);
  });

  test('each once: two people who pass the same pause pass one, if they say which', () => {
    const scene = atPauses().decides('Promote', { step: 1 }).decides('Promote', { step: 1 }).rests();
    expect(scene.decisions.map(({ status }) => status?.reason)).toEqual(['AsDecided', 'StepOver']);
    expect(scene.status.step).toBe('2/5');
  });

  test('only about the rollout that they name', () => {
    const scene = atPauses().decides('Abort', { rollout: 'another' }).rests();
    expect(scene.answer).toMatchObject({ phase: 'Expired', reason: 'RolloutOver' });
    expect(scene.answer?.message).toContain(scene.status.rolloutId ?? '-');
    expect(scene.status.phase).toBe('Paused');
  });

  test('only once a rollout has the id that they can name', () => {
    const scene = atPauses().asksFor('v3').decides('Abort').rests();
    expect(scene.answer).toMatchObject({ phase: 'Expired', reason: 'RolloutOver' });
    expect(scene.answer?.message).toContain(scene.status.rollout?.id ?? '-');
  });

  test('with an id although the status was lost', () => {
    const scene = serving().losesStatus().rests();
    expect(scene.status.rolloutId).toMatch(/^\w{10}-\d{13}$/);
    scene.losesStatus().rests().decides('Retry').rests();
    expect(scene.answer).toMatchObject({ reason: 'NotAborted' });
  });

  test('and told in status and in an event', () => {
    const scene = atPauses().decides('Abort', { reason: 'too slow' }).rests();
    expect(scene.status.decisions).toMatchObject([
      { name: 'decision-1', action: 'Abort', decidedBy: 'alice', phase: 'Applied', verified: true },
    ]);
    const told = scene.events.find(({ reason }) => reason === 'DecisionApplied');
    expect(told).toMatchObject({ type: 'Normal' });
    expect(told?.message).toMatch(/^Abort by alice \(decision-1\): All traffic goes back to/);
  });
});

describe('what protects the users waits for no decision, however many are sent:', () => {
  const decideMuch = (scene: Scene): Scene => {
    for (let count = 0; count < 20; count += 1) scene.decides(count % 2 === 0 ? 'Pause' : 'Resume');
    return scene;
  };

  test('a candidate that answers with errors is given up in the first pass', () => {
    const scene = decideMuch(atFirstPause());
    scene.reportOf('v2-pod-0', { window: { seconds: 30, requests: 100, errors: 50 } }).pass();
    expect(scene.status).toMatchObject({ phase: 'Aborted', reason: 'ErrorRateTooHigh' });
    expect(scene.share('v2')).toBe(0);
    scene.rests();
    expect(scene.status.decisions?.every(({ reason }) => reason === 'RolloutOver')).toBe(true);
  });

  test('a candidate without ready pods loses its traffic in the first pass', () => {
    const scene = decideMuch(atFirstPause().runs('v2', 1, { ready: false }));
    scene.pass();
    expect(scene.share('v2')).toBe(0);
  });

  test('what one decision has aborted loses its traffic before the next is heard', () => {
    const scene = decideMuch(atFirstPause().decides('Abort'));
    scene.pass();
    expect(scene.status.pendingMarks).toHaveLength(1);
    scene.pass();
    expect(scene.share('v2')).toBe(0);
    expect(scene.status.decisions).toHaveLength(1);
  });

  test('but what cannot be written, since its object is on its way out, keeps nobody from being heard', () => {
    const scene = atFirstPause().runs('v2', 1, { ready: false });
    for (const route of scene.children.filter(({ kind }) => kind === 'VirtualService')) {
      const deletionTimestamp = new Date(scene.nowMs).toISOString();
      scene.byHand(route.kind, route.metadata.name, {
        ...route,
        metadata: { ...route.metadata, deletionTimestamp },
      });
    }
    scene.decides('Abort').rests();
    expect(scene.answer).toMatchObject({ phase: 'Applied' });
  });
});

describe('who decides', () => {
  test.each<readonly [string, (scene: Scene) => void, string, boolean]>([
    ['is verified by a policy that was there before', () => undefined, 'alice', true],
    [
      'is unverified without a policy',
      (scene) => (scene.decisionPolicySince = undefined),
      'alice (unverified)',
      false,
    ],
    [
      'is unverified by a policy that came later',
      (scene) => (scene.decisionPolicySince = new Date(scene.nowMs + MINUTE_MS).toISOString()),
      'alice (unverified)',
      false,
    ],
  ])('%s', (_what, prepare, words, verified) => {
    const scene = atFirstPause();
    prepare(scene);
    scene.decides('Pause').rests();
    expect(scene.answer?.verified).toBe(verified);
    expect(scene.status.message).toContain(`by ${words}:`);
  });

  test('for somebody else is never verified', () => {
    const scene = atFirstPause().decides('Pause', { decidedBy: 'argocd', onBehalfOf: 'bob' }).rests();
    expect(scene.status.message).toContain('by argocd for bob (unverified):');
  });
});

test('a decision about a ModelDeployment that is not there is refused in words', () => {
  const { decisions } = atFirstPause().decides('Abort');
  const [answer] = answersWithoutModel(decisions, 0);
  expect(answer?.status).toMatchObject({ phase: 'Refused', reason: 'ModelDeploymentMissing' });
  expect(answer?.status.message).toBe('There is no ModelDeployment fraud in this namespace');
});
