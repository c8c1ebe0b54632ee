import { describe, expect, test } from 'vitest';
import { annotations } from '../../../operator/api/names.ts';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import type { Action } from '../../../operator/plan/action.ts';
import type { Plan } from '../../../operator/plan/plan.ts';
import { atFirstPause, Scene, serving } from '../../support/scene.ts';

function written({ actions }: Plan): readonly string[] {
  return actions.flatMap((action) =>
    action.kind === 'Apply' ? [`${action.object.kind}/${action.object.metadata.name}`] : [],
  );
}

function deleted({ actions }: Plan): readonly string[] {
  return actions.flatMap((action) =>
    action.kind === 'Delete' ? [`${action.reference.kind}/${action.reference.name}`] : [],
  );
}

/** The object with one text in it changed, as by `kubectl edit`. */
function edited(object: KubernetesObject | undefined, from: string, to: string): KubernetesObject {
  const before = JSON.stringify(object);
  const after = before.replaceAll(from, to);
  expect(after).not.toBe(before);
  return JSON.parse(after) as KubernetesObject;
}

describe('the order of writes', () => {
  test('of a new revision: its record, its objects, and no route before they exist', () => {
    const scene = serving().asksFor('v2');
    const name = scene.revision('v2');
    expect(written(scene.pass())).toStrictEqual([
      `ControllerRevision/${name}`,
      `Service/${name}`,
      `DestinationRule/${name}`,
      `Deployment/${name}`,
      `PodDisruptionBudget/${name}`,
      `HorizontalPodAutoscaler/${name}`,
      `HorizontalPodAutoscaler/${scene.revision('v1')}`,
    ]);
    expect(written(scene.pass())).toStrictEqual(['VirtualService/fraud.mesh', 'VirtualService/fraud']);
  });

  test('of a promotion: the mark alone, and what follows from it in the next pass', () => {
    const scene = serving().steps({ weight: 100 }).asksFor('v2').runs('v2', 2);
    while (scene.plan().status.reason !== 'Promoting') scene.pass();
    expect(written(scene.pass())).toStrictEqual([`ControllerRevision/${scene.revision('v2')}`]);
    const next = written(scene.pass());
    expect(next).toContain('Service/fraud');
    expect(next).toContain('VirtualService/fraud');
  });

  test('of an abort that died after its mark: the routes all the same', () => {
    const scene = atFirstPause().pod('v2-pod-0', { crashes: 1, ready: false });
    const before = scene.children.filter(({ kind }) => kind === 'VirtualService');
    scene.pass({ crashBefore: 'Status' });
    for (const object of before) scene.byHand(object.kind, object.metadata.name, object);
    expect(scene.share('v2')).toBe(5);
    scene.pass();
    expect(scene.share('v2')).toBe(0);
  });
});

describe('what was changed or deleted by hand', () => {
  const kinds = [
    'Deployment',
    'Service',
    'HorizontalPodAutoscaler',
    'PodDisruptionBudget',
    'DestinationRule',
  ] as const;

  test.each(kinds)('the %s of a revision comes back when it was deleted', (kind) => {
    const scene = serving();
    scene.byHand(kind, scene.revision('v1'), undefined).rests();
    expect(scene.isMade(kind, 'v1')).toBe(true);
    expect(scene.status.phase).toBe('Healthy');
  });

  test.each([
    ['VirtualService', 'fraud'],
    ['VirtualService', 'fraud.mesh'],
    ['Service', 'fraud'],
  ])('the %s %s comes back when it was deleted', (kind, name) => {
    const scene = serving().byHand(kind, name, undefined).rests();
    expect(scene.child(kind, name)).toBeDefined();
    expect([scene.status.phase, scene.share('v1')]).toStrictEqual(['Healthy', 100]);
  });

  test('the record of the stable comes back, and with it its promotion', () => {
    const scene = serving();
    scene.byHand('ControllerRevision', scene.revision('v1'), undefined).rests();
    expect(scene.status).toMatchObject({ phase: 'Healthy', stable: scene.revision('v1') });
  });

  test.each([
    ['VirtualService', 'fraud', '"weight":10000', '"weight":9000'],
    ['VirtualService', 'fraud.mesh', '"attempts":0', '"attempts":5'],
    ['Service', 'fraud', '"port":80,', '"port":8080,'],
  ])('the %s %s is put right', (kind, name, from, to) => {
    const scene = serving();
    scene.byHand(kind, name, edited(scene.child(kind, name), from, to));
    expect(written(scene.plan())).toStrictEqual([`${kind}/${name}`]);
    expect(JSON.stringify(scene.rests().child(kind, name))).toContain(from);
  });

  test('the image of a Deployment is put right', () => {
    const scene = serving();
    const name = scene.revision('v1');
    scene.byHand(
      'Deployment',
      name,
      edited(scene.child('Deployment', name), 'headgate-runtime:dev', 'other:1'),
    );
    expect(written(scene.plan())).toStrictEqual([`Deployment/${name}`]);
  });

  test('an object on its way out is let go first', () => {
    const scene = serving();
    const live = scene.child('VirtualService', 'fraud');
    if (live === undefined) throw new Error('it has one');
    const metadata = { ...live.metadata, deletionTimestamp: new Date(scene.nowMs).toISOString() };
    scene.byHand('VirtualService', 'fraud', { ...edited(live, '"weight":10000', '"weight":9000'), metadata });
    expect(written(scene.plan())).toStrictEqual([]);
  });
});

describe('writes that somebody may have overtaken', () => {
  function targetOf(action: Action): readonly [kind: string, name: string, expected: unknown] {
    if (action.kind === 'RecordEvent') return ['Event', action.event.reason, undefined];
    if (action.kind === 'Apply') return [action.object.kind, action.object.metadata.name, action.expected];
    const { kind, name, uid, resourceVersion } = action.reference;
    return [kind, name, { uid, resourceVersion }];
  }

  test('are refused, all of them, unless they find what the pass has seen, or nothing where it saw nothing', () => {
    const scene = serving().steps({ weight: 100 }).asksFor('v2').runs('v2', 2);
    const kinds = new Set<string>();
    for (let pass = 0; pass < 30; pass += 1) {
      for (const action of scene.plan().actions) {
        const [kind, name, expected] = targetOf(action);
        const live = scene.child(kind, name)?.metadata;
        const seen = live && { uid: live.uid, resourceVersion: live.resourceVersion };
        expect([kind, name, expected]).toStrictEqual([kind, name, seen]);
        kinds.add(`${action.kind} ${live === undefined ? 'new ' : ''}${kind}`);
      }
      scene.pass();
      scene.later(20_000);
    }
    expect(kinds).toContain('Apply VirtualService');
    expect(kinds).toContain('Apply Service');
    expect(kinds).toContain('Apply new Deployment');
    expect(kinds).toContain('Delete HorizontalPodAutoscaler');
  });
});

describe('an upgrade of the operator', () => {
  test('restarts no pod: a Deployment that another release has built stays as it is', () => {
    const scene = serving();
    const name = scene.revision('v1');
    const live = scene.child('Deployment', name);
    if (live === undefined) throw new Error('it has one');
    const notes = { ...live.metadata.annotations, [annotations.applied]: 'other' };
    const foreign = {
      ...edited(live, '"maxSurge":"25%"', '"maxSurge":"50%"'),
      metadata: { ...live.metadata, annotations: notes },
    };
    scene.byHand('Deployment', name, foreign);
    expect(written(scene.plan())).toStrictEqual([]);
  });

  test('makes no new revision of those that name no image: theirs is pinned', () => {
    const scene = serving();
    scene.runtimeImage = 'localhost/headgate-runtime:next';
    expect(scene.plan().actions).toStrictEqual([]);
    expect(JSON.stringify(scene.child('ControllerRevision', scene.revision('v1')))).toContain(
      'headgate-runtime:dev',
    );
  });
});

describe('records', () => {
  test('are counted upwards', () => {
    const scene = serving().asksFor('v2').rests().asksFor('v3').rests();
    const numbers = (['v1', 'v2', 'v3'] as const).map(
      (version) =>
        (scene.child('ControllerRevision', scene.revision(version)) as { revision?: number } | undefined)
          ?.revision,
    );
    expect(numbers).toStrictEqual([1, 2, 3]);
  });

  test('of more than ten revisions that are over are forgotten, the oldest first', () => {
    const scene = serving();
    for (let round = 0; round < 13; round += 1)
      scene.edits({ model: { uri: `file:///models/round-${round}.onnx` } }).rests();
    scene.asksFor('v1').rests().later(60_000).rests();
    const records = scene.children.filter(({ kind }) => kind === 'ControllerRevision');
    const numbers = records
      .map((record) => (record as { revision?: number }).revision ?? 0)
      .sort((a, b) => a - b);
    expect(numbers).toStrictEqual([1, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  });
});

test('routes for gateways go when the spec names none any more', () => {
  const scene = serving();
  const { hosts: _hosts, gateways: _gateways, ...traffic } = scene.modelDeployment.spec.traffic;
  expect(deleted(scene.edits({ traffic }).plan())).toStrictEqual(['VirtualService/fraud']);
  expect(scene.rests().child('VirtualService', 'fraud.mesh')).toBeDefined();
});

test('the entry Service selects the stable, and the next one only once that is promoted', () => {
  const scene = atFirstPause();
  const selected = (): string => JSON.stringify(scene.child('Service', 'fraud'));
  expect(selected()).toContain(`"headgate.dev/revision":"${scene.revision('v1')}"`);
  scene.later(60_000).runs('v2', 2).rests();
  expect(selected()).toContain(`"headgate.dev/revision":"${scene.revision('v2')}"`);
});

test('no Deployment is ever written with a number of replicas', () => {
  const scene = new Scene();
  for (const version of ['v1', 'v2', 'v3'] as const) scene.asksFor(version).runs(version, 2).rests();
  const deployments = scene.children.filter(({ kind }) => kind === 'Deployment');
  expect(deployments.length).toBe(3);
  expect(deployments.some((object) => JSON.stringify(object).includes('"replicas"'))).toBe(false);
});
