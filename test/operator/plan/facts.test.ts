import { describe, expect, test } from 'vitest';
import { annotations } from '../../../operator/api/names.ts';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { gatherFacts, leftovers, runningPods, type Facts } from '../../../operator/plan/facts.ts';
import { atFirstPause, Scene, serving, type Version } from '../../support/scene.ts';

function factsOf(scene: Scene): Facts {
  return gatherFacts(scene.modelDeployment, scene.observed());
}

function markedAt(scene: Scene, version: Version, promotedAt: string): void {
  const record = scene.child('ControllerRevision', scene.revision(version)) as KubernetesObject;
  const marks = { ...record.metadata.annotations, [annotations.promotedAt]: promotedAt };
  scene.byHand('ControllerRevision', record.metadata.name, {
    ...record,
    metadata: { ...record.metadata, annotations: marks },
  });
}

describe('the stable revision', () => {
  test('is undefined until one is promoted', () => {
    expect(factsOf(new Scene()).stable).toBeUndefined();
  });

  test('is the one promoted last, whatever status says', () => {
    const scene = atFirstPause().losesStatus();
    expect(factsOf(scene).stable?.name).toBe(scene.revision('v1'));
    markedAt(scene, 'v2', '2030-01-01T00:00:00Z');
    expect(factsOf(scene).stable?.name).toBe(scene.revision('v2'));
    markedAt(scene, 'v1', '2030-01-01T00:00:00.001Z');
    expect(factsOf(scene).stable?.name).toBe(scene.revision('v1'));
  });
});

describe('the candidate', () => {
  test.each<readonly [string, () => Scene, boolean]>([
    ['is the revision that the spec asks for while it is tried', atFirstPause, true],
    ['is there before anything was promoted', () => new Scene(), true],
    ['is missing while the spec asks for the stable', serving, false],
    ['is missing once it was given up', () => atFirstPause().pod('v2-pod-0', { crashes: 1 }).rests(), false],
  ])('%s', (_what, scene, isThere) => {
    const { candidate, desired } = factsOf(scene());
    expect(candidate).toBe(isThere ? desired : undefined);
  });
});

describe('leftovers', () => {
  const names = (scene: Scene): readonly string[] => leftovers(factsOf(scene)).map(({ name }) => name);

  test('are neither the stable nor the candidate, nor the first revision before its promotion', () => {
    expect(names(atFirstPause())).toStrictEqual([]);
    expect(names(new Scene().runs('v1', 2))).toStrictEqual([]);
  });

  test('are a candidate that was given up and one that was superseded', () => {
    const aborted = atFirstPause().pod('v2-pod-0', { crashes: 1 }).rests();
    expect(names(aborted)).toStrictEqual([aborted.revision('v2')]);
    const superseded = atFirstPause().asksFor('v3');
    expect(names(superseded)).toStrictEqual([superseded.revision('v2')]);
  });

  test('are one whose pods still end, and not one of which only the record is left', () => {
    const scene = atFirstPause().asksFor('v1').rests().later(60_000).rests();
    expect(names(scene)).toStrictEqual([scene.revision('v2')]);
    expect(names(scene.runs('v2', 0).rests())).toStrictEqual([]);
  });
});

test('a pod that is ending counts no more towards the size of its revision', () => {
  const { desired } = factsOf(serving().runs('v1', 3).pod('v1-pod-0', { terminating: true, ready: false }));
  expect([runningPods(desired), desired.readyPods]).toStrictEqual([2, 2]);
});

test('a revision is numbered after the highest that is known', () => {
  expect(factsOf(new Scene()).desired.number).toBe(1);
  expect(factsOf(serving().asksFor('v2')).desired.number).toBe(2);
});

test('a snapshot keeps what the platform allowed of sources when it was made', () => {
  const modelSources = { allow: ['10.0.0.0/8'] };
  const factsWith = (observed: object): Facts => {
    const scene = serving().asksFor('v2');
    return gatherFacts(scene.modelDeployment, { ...scene.observed(), ...observed });
  };
  expect(factsWith({ modelSources }).desired.snapshot.modelSources).toStrictEqual(modelSources);
  expect(factsWith({ modelSources }).stable?.snapshot.modelSources).toBeUndefined();
});

test('a snapshot holds what shapes pods, and the image of the time', () => {
  const scene = new Scene().edits({ resources: { requests: { cpu: '1' } } });
  expect(factsOf(scene).desired.snapshot).toStrictEqual({
    podShape: { model: scene.modelDeployment.spec.model, resources: { requests: { cpu: '1' } } },
    runtimeImage: 'localhost/headgate-runtime:dev',
  });
  expect(
    factsOf(scene.edits({ runtime: { image: 'example.com/mine:1' } })).desired.snapshot.runtimeImage,
  ).toBe('example.com/mine:1');
});
