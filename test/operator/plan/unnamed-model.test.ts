import { expect, test } from 'vitest';
import { needsEvidence } from '../../../operator/plan/plan.ts';
import { Scene, serving } from '../../support/scene.ts';
import { withoutMesh } from '../../support/without-mesh.ts';

/** Promoted while its runtimes were too busy to answer; on a plain Service, where no proof needs their word. */
function promotedUnnamed(): Scene {
  return serving('v1', (scene) => {
    withoutMesh(scene, 'Recreate');
    for (const pod of pods) scene.reportOf(pod, 'silent');
  });
}

const pods = ['v1-pod-0', 'v1-pod-1'];

function isAsked({ modelDeployment, children, platform, nowMs }: Scene): boolean {
  return needsEvidence(modelDeployment, children, platform, nowMs);
}

test('a stable whose model no runtime has named is asked again, each wait as long as all before it', () => {
  const scene = promotedUnnamed();
  expect(scene.status).toMatchObject({ phase: 'Healthy', revisions: [{ readyReplicas: 2 }] });
  expect(scene.status.revisions?.[0]).not.toHaveProperty('modelDigest');
  const waitsMs: number[] = [];
  for (;;) {
    const { requeueAfterMs } = scene.plan();
    if (requeueAfterMs === undefined) break;
    expect(isAsked(scene)).toBe(true);
    waitsMs.push(requeueAfterMs);
    scene.later(requeueAfterMs).pass();
  }
  expect(waitsMs).toStrictEqual([1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512].map((seconds) => seconds * 1_000));
  expect(isAsked(scene)).toBe(false);
});

test('nobody is asked any more once it is named', () => {
  const scene = promotedUnnamed().later(1_000);
  for (const pod of pods) scene.reportOf(pod, {});
  scene.pass();
  expect(scene.status.revisions?.[0]?.modelDigest).toBe('d'.repeat(64));
  expect(scene.plan().requeueAfterMs).toBeUndefined();
  expect(isAsked(scene)).toBe(false);
});

test.each<[string, () => Scene]>([
  ['a revision that is named', serving],
  ['one without a ready pod', () => new Scene().runs('v1', 1, { ready: false, crashes: 3 }).rests()],
])('%s is not asked for its model', (_which, make) => {
  expect(make().plan().requeueAfterMs).toBeUndefined();
});
