import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { followsItsMetric } from '../../../operator/plan/autoscaling.ts';
import { atFirstPause, Scene, serving, type Version } from '../../support/scene.ts';

interface Autoscaler extends KubernetesObject {
  readonly spec: {
    readonly minReplicas: number;
    readonly maxReplicas: number;
    readonly metrics: readonly { readonly type: string }[];
    readonly behavior: { readonly scaleDown: { readonly selectPolicy: string } };
  };
}

function autoscaler(scene: Scene, version: Version): Autoscaler['spec'] {
  const live = scene.child('HorizontalPodAutoscaler', scene.revision(version)) as Autoscaler | undefined;
  if (live === undefined) throw new Error(`${version} has no autoscaler`);
  return live.spec;
}

const scaling = (scene: Scene, minReplicas: number, maxReplicas = 10): Scene =>
  scene.edits({ scaling: { ...scene.modelDeployment.spec.scaling, minReplicas, maxReplicas } });

/** At 5 % beside a stable of eight pods. */
const besideEight = (): Scene => atFirstPause((scene) => scaling(scene, 2)).runs('v1', 8);

describe('the receiver of traffic', () => {
  test('has its floor raised before the step that needs it, without any metric', () => {
    const scene = besideEight().later(60_000).rests();
    expect([scene.share('v2'), autoscaler(scene, 'v2').minReplicas]).toStrictEqual([5, 4]);
  });

  test('keeps the floor while traffic moves, even when a smaller one would do', () => {
    const scene = besideEight().later(60_000).rests().runs('v1', 2).rests();
    expect(autoscaler(scene, 'v2').minReplicas).toBe(4);
  });

  test('keeps it after the promotion until its metric is present', () => {
    const scene = besideEight().later(60_000).rests().runs('v2', 8).rests();
    scene.metricIs('False').later(60_000).rests().runs('v1', 0).rests();
    expect(scene.status.phase).toBe('Healthy');
    expect(autoscaler(scene, 'v2').minReplicas).toBe(8);
    expect(autoscaler(scene.metricIs('True').rests(), 'v2').minReplicas).toBe(2);
  });

  test('is never told to run more than the user allows', () => {
    const scene = besideEight().later(60_000).rests();
    scaling(scene, 2, 3).rests();
    expect(autoscaler(scene, 'v2')).toMatchObject({ minReplicas: 3, maxReplicas: 3 });
  });
});

describe('the giver of traffic', () => {
  test('does not shrink while a candidate is tried', () => {
    expect(autoscaler(atFirstPause(), 'v1').behavior.scaleDown.selectPolicy).toBe('Disabled');
  });

  test('shrinks again after an abort when the last of the candidate is gone, and not before', () => {
    const scene = atFirstPause().pod('v2-pod-0', { crashes: 1, ready: false }).rests();
    expect(scene.status.phase).toBe('Aborted');
    expect(autoscaler(scene, 'v1').behavior.scaleDown.selectPolicy).toBe('Disabled');
    scene.later(60_000).rests().runs('v2', 0).rests();
    expect(autoscaler(scene, 'v1').behavior.scaleDown.selectPolicy).toBe('Max');
  });

  test('grows freely: only the candidate needs room to prove itself', () => {
    expect(autoscaler(atFirstPause(), 'v1').maxReplicas).toBe(10);
    expect(autoscaler(atFirstPause(), 'v2').behavior.scaleDown.selectPolicy).toBe('Max');
  });
});

describe('an edit of the scaling', () => {
  test('applies at once, up and down', () => {
    const scene = serving();
    expect(autoscaler(scaling(scene, 4, 6).rests(), 'v1')).toMatchObject({ minReplicas: 4, maxReplicas: 6 });
    expect(autoscaler(scaling(scene, 1, 5).rests(), 'v1')).toMatchObject({ minReplicas: 1, maxReplicas: 5 });
  });

  test('makes no new revision', () => {
    expect(scaling(serving(), 4).rests().status.candidate).toBeUndefined();
  });
});

describe('the metric', () => {
  test('is CPU until the cluster serves custom metrics, and latency from then on', () => {
    const scene = new Scene();
    scene.platform = { istio: true, customMetrics: false };
    scene.runs('v1', 2).rests();
    expect(autoscaler(scene, 'v1').metrics).toMatchObject([{ type: 'Resource' }]);
    scene.platform = { istio: true, customMetrics: true };
    expect(autoscaler(scene.rests(), 'v1').metrics).toMatchObject([{ type: 'Pods' }]);
  });

  test.each([
    ['True', true],
    ['False', false],
    ['Unknown', false],
  ])('is followed while ScalingActive is %s: %s', (status, follows) => {
    const object = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'x' } };
    const live = { ...object, status: { conditions: [{ type: 'ScalingActive', status }] } };
    expect(followsItsMetric(live)).toBe(follows);
    expect(followsItsMetric(object)).toBe(false);
    expect(followsItsMetric(undefined)).toBe(false);
  });
});
