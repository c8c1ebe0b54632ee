import { describe, expect, test } from 'vitest';
import { gatherFacts } from '../../../operator/plan/facts.ts';
import { forgettable } from '../../../operator/plan/revision-history.ts';
import { atFirstPause, serving, type Scene } from '../../support/scene.ts';

function limitedTo(scene: Scene, revisionHistoryLimit: number): Scene {
  return scene.edits({ rollout: { ...scene.modelDeployment.spec.rollout, revisionHistoryLimit } });
}

/** So many revisions were tried beside the one that serves, and given up. */
function tried(scene: Scene, count: number): Scene {
  for (let index = 0; index < count; index += 1) {
    scene
      .later(1_000)
      .edits({ model: { uri: `file:///models/tried-${index}.onnx` } })
      .rests();
    scene.decides('Abort').rests();
  }
  return scene.asksFor('v1').later(60_000).rests();
}

const records = (scene: Scene): number =>
  scene.children.filter(({ kind }) => kind === 'ControllerRevision').length;

describe('the records of revisions', () => {
  test('are kept up to the limit of the spec, beside those in use', () => {
    expect(records(tried(limitedTo(serving(), 3), 6))).toBe(1 + 3);
    expect(records(tried(serving(), 12))).toBe(1 + 10);
  });

  test('of what served before outlive those of all that was tried since', () => {
    const scene = limitedTo(atFirstPause().decides('PromoteFull').runs('v2', 2), 2)
      .rests()
      .later(60_000)
      .rests();
    scene.runs('v1', 0).rests();
    for (let index = 0; index < 4; index += 1) {
      scene
        .later(1_000)
        .edits({ model: { uri: `file:///models/tried-${index}.onnx` } })
        .rests();
      scene.decides('Abort').rests().later(60_000).rests();
    }
    expect(scene.isMade('ControllerRevision', 'v1')).toBe(true);
    expect(scene.decides('Rollback').rests().status.candidate).toBe(scene.revision('v1'));
  });

  test('never go while something is in use: candidate, leftovers, or what a route names', () => {
    const scene = limitedTo(atFirstPause(), 1).asksFor('v3');
    const facts = gatherFacts(scene.modelDeployment, scene.observed());
    expect(forgettable(facts, undefined)).toEqual([]);
    expect(scene.isMade('ControllerRevision', 'v2')).toBe(true);
    expect(scene.rests().share('v1')).toBe(100);
  });
});
