import { describe, expect, test } from 'vitest';
import { atFirstPause, Scene, serving } from '../../support/scene.ts';

const invalid = {
  ready: false,
  crashes: 1,
  lastTermination: { reason: 'ModelInvalid', message: 'no model', exitCode: 1 },
};

function aborted(): Scene {
  return atFirstPause().pod('v2-pod-0', invalid).rests();
}

function deleting(): Scene {
  const scene = serving();
  const metadata = {
    ...scene.modelDeployment.metadata,
    deletionTimestamp: new Date(scene.nowMs).toISOString(),
  };
  return scene.withModelDeployment({ metadata }).rests();
}

function messageOf(scene: Scene, type: string): string | undefined {
  return scene.status.conditions?.find((condition) => condition.type === type)?.message;
}

describe('what kstatus, Argo CD and kubectl wait read', () => {
  const table: readonly (readonly [string, () => Scene, string])[] = [
    ['Pending', () => new Scene().rests(), 'Reconciling'],
    ['Progressing', () => atFirstPause().later(60_000).rests(), 'Reconciling Available'],
    ['Paused', atFirstPause, 'Reconciling Paused Available'],
    ['Healthy', serving, 'Ready Available'],
    ['Degraded', () => serving().runs('v1', 2, { ready: false }).rests(), 'Stalled'],
    ['Aborted', aborted, 'Stalled Available'],
    ['Deleting', deleting, 'Reconciling Available'],
  ];

  test.each(table)('%s', (phase, make, holding) => {
    const scene = make();
    expect(scene.status.phase).toBe(phase);
    const types = ['Ready', 'Reconciling', 'Stalled', 'Paused', 'Available'];
    expect(types.filter((type) => scene.condition(type) === 'True').sort()).toStrictEqual(
      holding.split(' ').sort(),
    );
    expect(types.every((type) => ['True', 'False'].includes(scene.condition(type) ?? ''))).toBe(true);
  });

  test('every condition speaks of the generation that was observed', () => {
    const scene = atFirstPause();
    const generations = scene.status.conditions?.map(({ observedGeneration }) => observedGeneration);
    expect(new Set(generations)).toStrictEqual(new Set([scene.modelDeployment.metadata.generation]));
  });
});

describe('Available', () => {
  test('is about the stable, not about the candidate', () => {
    const scene = atFirstPause().runs('v1', 2, { ready: false }).rests();
    expect(scene.condition('Available')).toBe('False');
    expect(messageOf(scene, 'Available')).toBe(
      `No pod of the stable revision ${scene.revision('v1')} is ready`,
    );
  });

  test('says that nobody is served before the first promotion', () => {
    expect(messageOf(new Scene().rests(), 'Available')).toBe(
      'No revision has become ready yet, so nobody is served',
    );
  });
});

describe('ScalesOnLatency', () => {
  test.each<readonly [string, (scene: Scene) => Scene, string, RegExp]>([
    ['holds with the metric', (scene) => scene, 'True', /^Autoscalers follow the p95 latency/],
    [
      'does not hold while the autoscaler finds no metric, and nothing shrinks then',
      (scene) => scene.metricIs('False'),
      'False',
      /finds no inference_latency_p95_ms yet.*until then nothing is scaled down$/,
    ],
    [
      'does not hold without the API, and says what to install',
      (scene) => {
        scene.platform = { istio: true, customMetrics: false };
        return scene;
      },
      'False',
      /custom\.metrics\.k8s\.io.*install prometheus-adapter/,
    ],
  ])('%s', (_what, change, status, message) => {
    const scene = change(serving()).rests();
    expect(scene.condition('ScalesOnLatency')).toBe(status);
    expect(messageOf(scene, 'ScalesOnLatency')).toMatch(message);
  });
});

describe('Retiring', () => {
  test('is there while a revision drains, and names it', () => {
    const scene = atFirstPause().asksFor('v1').rests();
    expect(messageOf(scene, 'Retiring')).toBe(
      `Keeping ${scene.revision('v2')} until no proxy names it and no request arrives there`,
    );
  });

  test('is not there when nothing drains', () => {
    expect(serving().condition('Retiring')).toBeUndefined();
  });
});
