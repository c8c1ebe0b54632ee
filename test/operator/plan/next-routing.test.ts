import { describe, expect, test } from 'vitest';
import type { Course } from '../../../operator/plan/course.ts';
import { gatherFacts } from '../../../operator/plan/facts.ts';
import { nextRouting } from '../../../operator/plan/next-routing.ts';
import type { Proof } from '../../../operator/plan/proof.ts';
import { routeAllTo, splitBetween, type Routing } from '../../../operator/traffic/routing.ts';
import { atFirstPause, Scene, serving } from '../../support/scene.ts';

const PROVEN: Proof = { kind: 'Proven', hash: 'asked', sinceMs: 0 };
const UNPROVEN: Proof = { kind: 'Unproven', hash: 'asked', message: 'Waiting' };

/** The percent that `v2` gets next on the way to the routing that the course wants. */
function nextShare(
  scene: Scene,
  routing: Routing | undefined,
  proof: Proof,
): number | 'not named' | 'no routes' {
  const course: Course = {
    ...{ phase: 'Progressing', reason: 'WaitingForPods', message: '', holdScaleDown: true },
    ...{ routing, shares: new Map() },
  };
  const next = nextRouting(gatherFacts(scene.modelDeployment, scene.observed()), course, proof);
  if (next === undefined) return 'no routes';
  expect(next.destinations.reduce((sum, { weight }) => sum + weight, 0)).toBe(10_000);
  const destination = next.destinations.find(({ revision }) => revision === scene.revision('v2'));
  return destination === undefined ? 'not named' : destination.weight / 100;
}

function split(scene: Scene, percent: number): Routing {
  return splitBetween(scene.revision('v1'), scene.revision('v2'), percent * 100);
}

describe('a candidate that no route names yet', () => {
  const written = (): Scene => {
    const scene = serving().asksFor('v2').runs('v2', 2);
    scene.pass();
    return scene;
  };

  test('is named with weight 0 first, whatever is wanted', () => {
    const scene = written();
    expect(nextShare(scene, split(scene, 50), PROVEN)).toBe(0);
  });

  test('is not named before it has a Service', () => {
    const scene = serving().asksFor('v2').runs('v2', 2);
    expect(nextShare(scene, split(scene, 50), PROVEN)).toBe('not named');
  });
});

test('a candidate that nothing can be recorded of gets no more, since no abort of it would last', () => {
  const scene = atFirstPause().runs('v2', 2);
  const record = scene.child('ControllerRevision', scene.revision('v2'));
  scene.byHand('ControllerRevision', scene.revision('v2'), undefined);
  expect(nextShare(scene, split(scene, 50), PROVEN)).toBe(5);
  scene.byHand('ControllerRevision', scene.revision('v2'), record);
  expect(nextShare(scene, split(scene, 50), PROVEN)).toBe(50);
});

describe('a candidate with 5 %', () => {
  const cases = [
    { wanted: 50, pods: 1, proof: PROVEN, share: 50, because: 'it is proven and has the pods' },
    { wanted: 50, pods: 1, proof: UNPROVEN, share: 5, because: 'a proxy may not have what was asked before' },
    { wanted: 100, pods: 1, proof: PROVEN, share: 5, because: 'it has not the pods' },
    { wanted: 100, pods: 2, proof: PROVEN, share: 100, because: 'it has them now' },
    { wanted: 5, pods: 0, proof: UNPROVEN, share: 5, because: 'nothing changes' },
    { wanted: 1, pods: 0, proof: UNPROVEN, share: 1, because: 'lowering is always allowed' },
    { wanted: 0, pods: 0, proof: UNPROVEN, share: 0, because: 'lowering is always allowed' },
  ];
  test.each(cases)(
    'for which $wanted % are wanted gets $share %, because $because',
    ({ wanted, pods, proof, share }) => {
      const scene = atFirstPause().runs('v2', pods);
      expect(nextShare(scene, split(scene, wanted), proof)).toBe(share);
    },
  );

  test('loses all of it at once when everything shall go to the stable', () => {
    const scene = atFirstPause();
    expect(nextShare(scene, routeAllTo(scene.revision('v1')), UNPROVEN)).toBe('not named');
  });
});

describe('copies and previews', () => {
  const next = (scene: Scene, routing: Routing, proof: Proof): Routing | undefined => {
    const course: Course = {
      ...{ phase: 'Progressing', reason: 'WaitingForPods', message: '', holdScaleDown: true },
      ...{ routing, shares: new Map() },
    };
    return nextRouting(gatherFacts(scene.modelDeployment, scene.observed()), course, proof);
  };
  const wanting = (scene: Scene): Routing => ({
    ...split(scene, 5),
    mirrors: [{ revision: scene.revision('v2'), weight: 5_000 }],
    previews: [{ revision: scene.revision('v2'), match: { header: { name: 'x-try', value: 'next' } } }],
  });

  test.each([
    { pods: 1, proof: PROVEN, sent: true, because: 'every proxy knows the pods, and they are ready' },
    { pods: 1, proof: UNPROVEN, sent: false, because: 'a proxy may not know the destination (I3)' },
    { pods: 0, proof: PROVEN, sent: false, because: 'no pod is ready (I1)' },
  ])('of a candidate with $pods pods are asked for: $sent, because $because', ({ pods, proof, sent }) => {
    const scene = atFirstPause().runs('v2', pods);
    const routing = next(scene, wanting(scene), proof);
    expect([routing?.mirrors !== undefined, routing?.previews !== undefined]).toEqual([sent, sent]);
  });

  test('wait until the candidate is named', () => {
    const scene = serving().asksFor('v2').runs('v2', 2);
    scene.pass();
    expect(next(scene, wanting(scene), PROVEN)).not.toHaveProperty('mirrors');
    expect(next(scene, wanting(scene), PROVEN)).not.toHaveProperty('previews');
  });
});

describe('no routes are asked for', () => {
  test('while nothing is promoted', () => {
    const scene = new Scene();
    expect(nextShare(scene, split(scene, 0), PROVEN)).toBe('no routes');
  });

  test('when the course wants none', () => {
    expect(nextShare(atFirstPause(), undefined, PROVEN)).toBe('no routes');
  });
});
