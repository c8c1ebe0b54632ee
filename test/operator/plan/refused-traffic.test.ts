import { describe, expect, it } from 'vitest';
import type { TrafficRefusal } from '../../../operator/traffic/traffic-refusal.ts';
import { atFirstPause, serving, type Scene } from '../../support/scene.ts';

const conflict: TrafficRefusal = {
  ...{ kind: 'Host', name: 'fraud.example.com', reason: 'HostConflict' },
  message: 'Host fraud.example.com is left out',
};
const forbidden: TrafficRefusal = {
  ...{ kind: 'Gateway', name: 'istio-system/public', reason: 'HostNotAllowed' },
  message: 'Gateway istio-system/public is left out',
};

function refusing(scene: Scene, ...refusals: readonly TrafficRefusal[]): Scene {
  scene.refusedTraffic = refusals;
  return scene;
}

function routesOf(scene: Scene): readonly string[] {
  return scene.children.filter(({ kind }) => kind === 'VirtualService').map(({ metadata }) => metadata.name);
}

describe('a ModelDeployment whose host is refused', () => {
  it.each([conflict, forbidden])('has no route for it at gateways, and says so ($reason)', (refusal) => {
    const scene = refusing(serving(), refusal).rests();
    expect(scene.status).toMatchObject({
      phase: 'Degraded',
      reason: refusal.reason,
      message: refusal.message,
    });
    expect(scene.condition(refusal.reason)).toBe('True');
    expect(scene.condition('Ready')).toBe('False');
    expect(scene.condition('Available')).toBe('True');
    expect(routesOf(scene)).toEqual(['fraud.mesh']);
    expect(scene.status.url).toBe('http://fraud.ml.svc.cluster.local');
  });

  it('serves its other hosts', () => {
    const scene = serving('v1', ({ modelDeployment: { spec } }) => {
      (spec.traffic.hosts as string[]).push('other.example.com');
    });
    refusing(scene, conflict).rests();
    expect(scene.child('VirtualService', 'fraud')).toMatchObject({ spec: { hosts: ['other.example.com'] } });
    expect(scene.status.url).toBe('http://other.example.com/fraud');
  });

  it('goes on by itself when it is refused no longer, and nobody else is told anything', () => {
    const scene = refusing(serving(), conflict).rests();
    refusing(scene).rests().later(10_000).rests();
    expect(scene.status).toMatchObject({ phase: 'Healthy', url: 'http://fraud.example.com/fraud' });
    expect(scene.condition('HostConflict')).toBeUndefined();
    expect(routesOf(scene)).toEqual(['fraud.mesh', 'fraud']);
  });

  it('tells of it once', () => {
    const scene = refusing(serving(), conflict).rests().later(60_000).rests();
    expect(scene.events.filter(({ reason }) => reason === 'HostConflict')).toHaveLength(1);
  });

  it('goes on with its rollout in the mesh', () => {
    const scene = refusing(atFirstPause(), conflict).rests().later(10_000).rests();
    expect(scene.status.phase).toBe('Paused');
    expect(scene.condition('HostConflict')).toBe('True');
    expect(scene.share('v2')).toBe(5);
  });

  it('is not Degraded for a host while no pod is ready: that is worse', () => {
    const scene = refusing(serving(), conflict).runs('v1', 0).rests();
    expect(scene.status.reason).toBe('NoReadyPods');
  });
});
