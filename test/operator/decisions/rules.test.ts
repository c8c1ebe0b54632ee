import { describe, expect, test } from 'vitest';
import { DECISION_ACTIONS, type DecisionAction } from '../../../operator/api/rollout-decision.ts';
import type { RulingReason } from '../../../operator/decisions/ruling.ts';
import { atFirstPause, Scene, serving } from '../../support/scene.ts';

type Answers = Readonly<Record<DecisionAction, RulingReason>>;

const MINUTE_MS = 60_000;

function atPauseForEver(): Scene {
  return serving().steps({ weight: 20 }, { pause: {} }, { weight: 100 }).asksFor('v2').runs('v2', 2).rests();
}

function aborted(): Scene {
  return atFirstPause().pod('v2-pod-0', { crashes: 1 }).rests().later(MINUTE_MS).runs('v2', 0).rests();
}

/** `v2` is the stable revision, `v1` is kept. */
function promoted(): Scene {
  const scene = atPauseForEver().later(MINUTE_MS).decides('PromoteFull').rests();
  return scene.later(MINUTE_MS).rests().runs('v1', 0).rests();
}

function rolledBack(): Scene {
  const scene = promoted().later(MINUTE_MS).decides('Rollback').rests().runs('v1', 2).rests();
  return scene.later(MINUTE_MS).rests().runs('v2', 0).rests();
}

function deleted(scene: Scene): Scene {
  const { metadata } = scene.modelDeployment;
  const deletionTimestamp = new Date(scene.nowMs).toISOString();
  return scene.withModelDeployment({ metadata: { ...metadata, deletionTimestamp } });
}

/** What a rollout answers that waits for anything but a decision; `change` for the rest. */
function underWay(change: Partial<Answers> = {}): Answers {
  return {
    Promote: 'NothingWaits',
    PromoteFull: 'AsDecided',
    SkipStep: 'AsDecided',
    Pause: 'AsDecided',
    Resume: 'NotPaused',
    Abort: 'AsDecided',
    Retry: 'RolloutUnderWay',
    Rollback: 'NoEarlierRevision',
    ...change,
  };
}

function every(reason: RulingReason, change: Partial<Answers> = {}): Answers {
  const answers = Object.fromEntries(DECISION_ACTIONS.map((action) => [action, reason]));
  return { ...(answers as Answers), ...change };
}

const atRest = every('RolloutOver', { Retry: 'NotAborted', Rollback: 'NoEarlierRevision' });

const situations: readonly (readonly [string, () => Scene, Answers])[] = [
  ['while the first revision is awaited', () => new Scene().rests(), every('NothingPromoted')],
  ['while the first revision serves', serving, atRest],
  ['while pods of the candidate are awaited', () => serving().asksFor('v2').rests(), underWay()],
  [
    'while a gateway has not proven the routes',
    () => serving().asksFor('v2').runs('v2', 1).gatewayStops('istio-system/gateway-a').rests(),
    underWay(),
  ],
  ['in a pause for a time', atFirstPause, underWay({ Promote: 'AsDecided' })],
  ['in a pause until somebody decides', atPauseForEver, underWay({ Promote: 'AsDecided' })],
  [
    'while somebody holds it',
    () => atFirstPause().decides('Pause').rests(),
    underWay({
      ...{ Promote: 'PausedByDecision', PromoteFull: 'PausedByDecision', SkipStep: 'PausedByDecision' },
      ...{ Pause: 'AlreadyPaused', Resume: 'AsDecided' },
    }),
  ],
  [
    'while it waits for full size after the last step',
    () => atFirstPause().decides('PromoteFull').rests(),
    underWay({ PromoteFull: 'NoStepLeft', SkipStep: 'NoStepLeft' }),
  ],
  [
    'while no pod of the stable is ready',
    () => atFirstPause().runs('v1', 0),
    underWay({ Promote: 'AsDecided' }),
  ],
  [
    'while no pod of the candidate is ready',
    () => atFirstPause().pod('v2-pod-0', { ready: false }).rests(),
    underWay(),
  ],
  [
    'without Istio',
    () => {
      const scene = atFirstPause();
      scene.platform = { istio: false, customMetrics: true };
      return scene.rests();
    },
    underWay(),
  ],
  ['after an abort', aborted, { ...atRest, Retry: 'AsDecided' }],
  ['after a promotion', promoted, { ...atRest, Rollback: 'AsDecided' }],
  [
    'in a rollback',
    () => promoted().decides('Rollback').rests(),
    underWay({ PromoteFull: 'NoStepLeft', SkipStep: 'NoStepLeft', Rollback: 'AlreadyThere' }),
  ],
  ['after a rollback', rolledBack, { ...atRest, Retry: 'AsDecided' }],
  ['while it is deleted', () => deleted(atFirstPause()), every('Deleting')],
];

describe.each(situations)('%s', (_when, makeScene, answers) => {
  test.each(DECISION_ACTIONS)('%s is answered', (action) => {
    const scene = makeScene().later(1_000).decides(action);
    scene.pass();
    if (scene.answer === undefined) scene.pass();
    expect([scene.answer?.reason, scene.answer?.message]).toEqual([
      answers[action],
      expect.stringMatching(/^\S.*\S$/),
    ]);
    const phase =
      answers[action] === 'AsDecided' ? 'Applied' : /Over$/.test(answers[action]) ? 'Expired' : 'Refused';
    expect(scene.answer?.phase).toBe(phase);
  });

  test('a decision that has no effect changes nothing but its answer', () => {
    const scene = makeScene().rests();
    const { children } = scene;
    const { decisions: _before, ...status } = scene.status;
    const powerless = DECISION_ACTIONS.filter((action) => answers[action] !== 'AsDecided');
    for (const action of powerless) scene.decides(action);
    const { decisions: answered = [], ...statusAfter } = scene.rests().status;
    expect(statusAfter).toEqual(status);
    expect(scene.children).toEqual(children);
    expect(answered.length).toBeGreaterThanOrEqual(powerless.length);
  });
});
