import { describe, expect, test } from 'vitest';
import type { StrategyName } from '../../../operator/api/model-deployment.ts';
import { labels } from '../../../operator/api/names.ts';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { istio } from '../../../operator/traffic/istio.ts';
import { routeAllTo } from '../../../operator/traffic/routing.ts';
import { serving, type Scene, type Version } from '../../support/scene.ts';
import { withoutMesh } from '../../support/without-mesh.ts';

const DRAIN_MS = 5_000;
const HOUR_MS = 3_600_000;

function plain(strategy: StrategyName): Scene {
  return serving('v1', (scene) => withoutMesh(scene, strategy));
}

interface LiveService extends KubernetesObject {
  readonly spec?: { readonly selector?: Readonly<Record<string, string>> };
}

/** Whom the entry Service selects. */
function selected(scene: Scene): string | undefined {
  return (scene.child('Service', 'fraud') as LiveService | undefined)?.spec?.selector?.[labels.revision];
}

function floorOf(scene: Scene, version: Version): unknown {
  const autoscaler = scene.child('HorizontalPodAutoscaler', scene.revision(version));
  return (autoscaler as { readonly spec?: { readonly minReplicas?: number } } | undefined)?.spec?.minReplicas;
}

describe('a rolling update on a plain Service', () => {
  test('moves everything at once, when the new revision has its full size', () => {
    const scene = plain('RollingUpdate').asksFor('v2').runs('v2', 1).rests();
    expect(scene.status).toMatchObject({ phase: 'Progressing', reason: 'WaitingForPods', weight: '0%' });
    expect(selected(scene)).toBe(scene.revision('v1'));
    scene.runs('v2', 2).rests();
    expect(selected(scene)).toBe(scene.revision('v2'));
    expect(scene.status).toMatchObject({ phase: 'Healthy', stable: scene.revision('v2') });
  });

  test('is no step further until the EndpointSlices hold the new pods and no others', () => {
    const scene = plain('RollingUpdate').asksFor('v2').runs('v2', 2);
    scene.endpointsAre({ pods: ['v1-pod-0', 'v1-pod-1'] }).rests();
    // The stable's own are right as long as it is selected; then they are late.
    expect(scene.status).toMatchObject({ reason: 'RoutingUnproven', weight: '0%' });
    expect(scene.status.message).toMatch(
      /EndpointSlices of Service fraud hold the ready pods of .*: v1-pod-0, v1-pod-1, v2-pod-0, v2-pod-1$/,
    );
    scene.endpointsAre({ pods: ['v2-pod-0'] }).rests();
    expect(scene.status.reason).toBe('RoutingUnproven');
    scene.endpointsAre(undefined).rests();
    expect(scene.status.phase).toBe('Healthy');
  });

  test('holds while the EndpointSlices cannot be read, and says why', () => {
    const scene = plain('RollingUpdate').asksFor('v2').runs('v2', 2);
    scene.endpointsAre({ problem: 'endpointslices is forbidden' }).rests();
    expect(scene.status.message).toBe(
      'The EndpointSlices of Service fraud are not known: endpointslices is forbidden',
    );
  });

  test('ends the old pods once no new connection comes, whatever connections are kept', () => {
    const busy = { lastRequestSecondsAgo: 0, inFlight: 3 };
    const scene = plain('RollingUpdate').asksFor('v2').runs('v2', 2).rests();
    scene.reportOf('v1-pod-0', { ...busy, lastConnectionSecondsAgo: 4.9 });
    expect(scene.later(DRAIN_MS).rests().isMade('Deployment', 'v1')).toBe(true);
    scene.reportOf('v1-pod-0', { ...busy, lastConnectionSecondsAgo: 5 });
    expect(scene.rests().isMade('Deployment', 'v1')).toBe(false);
    expect(scene.isMade('Service', 'v1')).toBe(true);
    expect(scene.runs('v1', 0).rests().isMade('Service', 'v1')).toBe(false);
  });

  test('waits for a runtime that does not tell of connections until no request comes', () => {
    const scene = plain('RollingUpdate').asksFor('v2').runs('v2', 2).rests();
    scene.reportOf('v1-pod-0', { lastRequestSecondsAgo: 1 });
    expect(scene.later(DRAIN_MS).rests().isMade('Deployment', 'v1')).toBe(true);
  });

  test('that fails leaves the stable as it is', () => {
    const scene = plain('RollingUpdate').asksFor('v2').runs('v2', 1, { ready: false, crashes: 3 }).rests();
    expect(scene.status).toMatchObject({ phase: 'Aborted', reason: 'CrashLoop' });
    expect(selected(scene)).toBe(scene.revision('v1'));
  });
});

test('a rolling update in a mesh gives the new revision its share as its pods come', () => {
  const scene = serving('v1', (it) => {
    const { rollout } = it.modelDeployment.spec;
    it.edits({ rollout: { ...rollout, strategy: 'RollingUpdate' } });
    it.edits({ scaling: { ...it.modelDeployment.spec.scaling, minReplicas: 4 } });
  });
  scene.runs('v1', 4).asksFor('v2');
  for (const [pods, share] of [
    [1, 25],
    [2, 50],
    [3, 75],
  ] as const) {
    expect(scene.runs('v2', pods).rests().share('v2')).toBe(share);
  }
  scene.runs('v2', 4).rests();
  expect(scene.status).toMatchObject({ phase: 'Healthy', stable: scene.revision('v2') });
});

test('a blue-green switch moves the entry Service when somebody decides, and names the preview until then', () => {
  const scene = plain('BlueGreen').asksFor('v2').runs('v2', 2).rests();
  expect(scene.status).toMatchObject({ phase: 'Paused', weight: '0%' });
  expect(selected(scene)).toBe(scene.revision('v1'));
  const preview = scene.status.conditions?.find(({ type }) => type === 'SplitsTraffic')?.message;
  expect(preview).toContain(
    `http://${scene.revision('v2')}.ml.svc.cluster.local reaches the candidate alone`,
  );
  const { rollout } = scene.modelDeployment.spec;
  const blueGreen = { keepOldFor: '10m', autoPromote: { after: '1s' } };
  scene
    .edits({ rollout: { ...rollout, blueGreen } })
    .rests()
    .later(1_000)
    .rests();
  expect(selected(scene)).toBe(scene.revision('v2'));
  // The way back is a switch too: the old pods are kept.
  expect(scene.later(60_000).rests().isMade('Deployment', 'v1')).toBe(true);
  scene.asksFor('v1').rests();
  expect(selected(scene)).toBe(scene.revision('v1'));
});

test('a preview that only a mesh can tell is refused, with the Service as the way out', () => {
  const scene = plain('BlueGreen');
  const { rollout } = scene.modelDeployment.spec;
  const blueGreen = { keepOldFor: '10m', preview: { header: { name: 'x-preview', value: 'next' } } };
  scene
    .edits({ rollout: { ...rollout, blueGreen } })
    .asksFor('v2')
    .runs('v2', 2)
    .rests();
  expect(scene.status.reason).toBe('StrategyUnsupported');
  expect(scene.status.message).toMatch(
    /or leave the preview out, since every revision has a Service of its own/,
  );
});

describe('a recreation', () => {
  test.each(['without a mesh', 'with Istio'])('ends the old pods before it makes new ones, %s', (where) => {
    const scene = where === 'with Istio' ? inMesh() : plain('Recreate');
    scene.asksFor('v2').rests();
    expect(scene.isMade('Deployment', 'v1')).toBe(false);
    expect(scene.isMade('Deployment', 'v2')).toBe(false);
    expect(scene.status).toMatchObject({ phase: 'Progressing', reason: 'Recreating' });
    scene.runs('v1', 1, { terminating: true, ready: false }).rests();
    expect(scene.isMade('Deployment', 'v2')).toBe(false);
    scene.runs('v1', 0).rests();
    expect(scene.isMade('Deployment', 'v2')).toBe(true);
    expect(scene.isMade('Service', 'v1')).toBe(true);
    expect(scene.condition('Available')).toBe('False');
    expect(scene.status.message).toMatch(
      /^Nobody is served until .* is ready, as the strategy Recreate says/,
    );
    expect(scene.share('v2')).toBe(0);
    scene.runs('v2', 2).rests();
    expect(scene.status).toMatchObject({ phase: 'Healthy', stable: scene.revision('v2') });
    expect(scene.share('v2')).toBe(100);
  });

  test('starts with as many pods as the old revision had', () => {
    const scene = plain('Recreate').runs('v1', 5).asksFor('v2').rests();
    expect(floorOf(scene, 'v2')).toBe(5);
    scene.runs('v1', 0).rests();
    expect(floorOf(scene, 'v2')).toBe(5);
  });

  test('that fails brings the stable back', () => {
    const scene = plain('Recreate').asksFor('v2').rests().runs('v1', 0).rests();
    scene.runs('v2', 1, { ready: false, crashes: 3 }).rests();
    expect(scene.status).toMatchObject({ phase: 'Aborted', reason: 'CrashLoop' });
    expect(scene.status.message).toContain('of which no pod is ready yet');
    expect(scene.isMade('Deployment', 'v1')).toBe(true);
    // There may be room for the one only when the other is gone.
    expect(scene.later(DRAIN_MS).rests().isMade('Deployment', 'v2')).toBe(false);
    scene.runs('v2', 0).runs('v1', 2).rests();
    expect(scene.status.phase).toBe('Aborted');
    expect(scene.condition('Available')).toBe('True');
  });

  test('that is never ready is given up after the deadline, also when it was ready before', () => {
    const scene = plain('Recreate').asksFor('v2').rests().runs('v1', 0).runs('v2', 1, { ready: false });
    expect(scene.rests().later(600_000).rests().status.reason).toBe('ProgressDeadlineExceeded');
    const other = plain('Recreate').asksFor('v2').rests().runs('v1', 0).runs('v2', 2);
    other.endpointsAre({ pods: [] }).rests();
    expect(other.status.reason).toBe('RoutingUnproven');
    other.runs('v2', 2, { ready: false }).rests().later(600_000).rests();
    expect(other.status).toMatchObject({ phase: 'Aborted', reason: 'ProgressDeadlineExceeded' });
  });

  test('waits for the gateways with the stable alone, which keeps the only room', () => {
    const scene = inMesh();
    scene.platform = { istio: false, customMetrics: true };
    scene.asksFor('v2').rests().later(HOUR_MS).rests();
    expect(scene.status).toMatchObject({ phase: 'Progressing', reason: 'IstioMissing' });
    expect(scene.isMade('Deployment', 'v1')).toBe(true);
    expect(scene.isMade('Deployment', 'v2')).toBe(false);
    expect(scene.plan().requeueAfterMs).toBeUndefined();
    // The deadline of its pods begins when they may come.
    scene.platform = { istio: true, customMetrics: true };
    scene.rests();
    expect(scene.status.reason).toBe('Recreating');
    expect(scene.isMade('Deployment', 'v1')).toBe(false);
    scene.runs('v1', 0).rests().runs('v2', 2).rests();
    expect(scene.status).toMatchObject({ phase: 'Healthy', stable: scene.revision('v2') });
  });

  test('goes on where Istio goes away in the middle: the stable gets no pods beside the new ones', () => {
    const scene = inMesh().asksFor('v2').rests().runs('v1', 0).rests();
    expect(scene.isMade('Deployment', 'v2')).toBe(true);
    scene.platform = { istio: false, customMetrics: true };
    scene.rests();
    expect(scene.status.reason).toBe('Recreating');
    expect(scene.isMade('Deployment', 'v1')).toBe(false);
    scene.runs('v2', 2).rests();
    expect(scene.status.stable).toBe(scene.revision('v2'));
  });

  test('brings the stable back where Istio goes away before the first new pod', () => {
    const scene = inMesh().asksFor('v2').rests().runs('v1', 1, { terminating: true, ready: false }).rests();
    scene.platform = { istio: false, customMetrics: true };
    scene.rests();
    expect(scene.status.reason).toBe('IstioMissing');
    expect(scene.isMade('Deployment', 'v1')).toBe(true);
    expect(scene.isMade('Deployment', 'v2')).toBe(false);
  });

  test('leaves nobody with the new pods before there are any, whatever somebody has written into the routes', () => {
    const scene = inMesh().asksFor('v2').rests().runs('v1', 1).rests();
    const turned = istio.render(scene.modelDeployment, routeAllTo(scene.revision('v2')));
    for (const route of turned.objects) scene.byHand(route.kind, route.metadata.name, route);
    scene.rests();
    expect(scene.share('v1')).toBe(100);
  });

  test('is undone by going back in the middle', () => {
    const scene = plain('Recreate').asksFor('v2').rests().runs('v1', 0).rests().asksFor('v1').rests();
    expect(scene.isMade('Deployment', 'v1')).toBe(true);
    scene.runs('v1', 2).later(DRAIN_MS).rests();
    expect(scene.status).toMatchObject({ phase: 'Healthy', stable: scene.revision('v1') });
    expect(scene.isMade('Deployment', 'v2')).toBe(false);
  });
});

function inMesh(): Scene {
  return serving('v1', (scene) => {
    scene.edits({ rollout: { ...scene.modelDeployment.spec.rollout, strategy: 'Recreate' } });
  });
}

describe('a canary on a plain Service', () => {
  test('holds with the users on the stable, and says what is missing and what would do', () => {
    const scene = plain('Canary').asksFor('v2').runs('v2', 2).rests();
    expect(scene.status).toMatchObject({ phase: 'Progressing', reason: 'StrategyUnsupported' });
    expect(scene.status.message).toBe(
      'Canary needs a mesh that divides the traffic by weight, which a plain Service cannot: install Istio, since this cluster serves no networking.istio.io/v1, or choose RollingUpdate, BlueGreen or Recreate; this goes on by itself then',
    );
    expect(selected(scene)).toBe(scene.revision('v1'));
    scene.platform = { istio: true, customMetrics: true };
    scene.rests().later(10_000).rests().later(10_000).rests();
    expect(scene.status.step).toBe('1/4');
  });

  test('whose only step is everything goes through', () => {
    const scene = plain('Canary').steps({ weight: 100 }).asksFor('v2').runs('v2', 2).rests();
    expect(scene.status).toMatchObject({ phase: 'Healthy', stable: scene.revision('v2') });
  });

  test.each(['Rollback', 'PromoteFull'] as const)(
    'is left by %s, which needs none of its steps',
    (action) => {
      const scene = plain('RollingUpdate').asksFor('v2').runs('v2', 2).rests();
      withoutMesh(scene, 'Canary');
      scene.runs('v1', 2).rests();
      if (action === 'PromoteFull') scene.asksFor('v1').rests();
      scene.decides(action).rests().later(DRAIN_MS).rests();
      expect(scene.answer).toMatchObject({ phase: 'Applied' });
      expect(selected(scene)).toBe(scene.revision('v1'));
      expect(scene.status.stable).toBe(scene.revision('v1'));
    },
  );

  test('where the user has chosen the Service is told to go back to the mesh', () => {
    const scene = plain('Canary').rests();
    scene.platform = { istio: true, customMetrics: true };
    scene.edits({ traffic: { ...scene.modelDeployment.spec.traffic, router: 'Service' } });
    scene.asksFor('v2').runs('v2', 2).rests();
    expect(scene.status.message).toMatch(/: set spec\.traffic\.router to Automatic or choose RollingUpdate/);
  });
});

describe('a change of the router', () => {
  test('to a mesh that arrives keeps everything on the stable, and writes no route twice', () => {
    const scene = plain('RollingUpdate');
    scene.platform = { istio: true, customMetrics: true };
    scene.rests().later(10_000).rests();
    expect(scene.share('v1')).toBe(100);
    expect(selected(scene)).toBe(scene.revision('v1'));
    expect(scene.status.phase).toBe('Healthy');
    expect(scene.plan().actions).toEqual([]);
  });

  test('from a mesh that is away keeps the pods that its routes may still name', () => {
    const scene = serving().asksFor('v2').runs('v2', 2).rests();
    expect(scene.share('v2')).toBe(5);
    const { hosts: _hosts, gateways: _gateways, ...traffic } = scene.modelDeployment.spec.traffic;
    scene.platform = { istio: false, customMetrics: true };
    scene.edits({ traffic }).asksFor('v1').rests().later(60_000).rests();
    expect(selected(scene)).toBe(scene.revision('v1'));
    expect(scene.isMade('Deployment', 'v2')).toBe(true);
    // Proxies may still follow those routes.
    expect(scene.status).toMatchObject({ phase: 'Progressing', reason: 'RoutingUnproven' });
    scene.platform = { istio: true, customMetrics: true };
    scene.rests().later(60_000).rests().later(60_000).rests();
    expect(scene.isMade('Deployment', 'v2')).toBe(false);
  });

  test('to the Service by choice takes the routes away at once, and how proxies treat pods when none does any more', () => {
    const scene = inMeshByChoice();
    const sees = (lastSeenSecondsAgo: number): Scene =>
      scene.reportOf('v1-pod-0', { routings: [{ hash: 'routes-of-before', lastSeenSecondsAgo }] });
    scene.edits({ traffic: { ...scene.modelDeployment.spec.traffic, router: 'Service' } });
    sees(0.5).rests().later(DRAIN_MS).rests();
    expect(istioKinds(scene)).toEqual(['DestinationRule']);
    expect(scene.status).toMatchObject({ reason: 'RoutingUnproven' });
    expect(scene.status.message).toMatch(/^Waiting until no sidecar sends by the routes that Istio had/);
    sees(4).rests().later(DRAIN_MS).rests();
    expect(istioKinds(scene)).toEqual(['DestinationRule']);
    expect(scene.plan().requeueAfterMs).toBeLessThanOrEqual(1_000);
    sees(5).rests();
    expect(istioKinds(scene)).toEqual([]);
    expect(scene.status.phase).toBe('Healthy');
    expect(scene.plan().requeueAfterMs).toBeUndefined();
  });

  test('to the Service by choice keeps an old revision while a sidecar sends to it over a connection that it keeps', () => {
    const scene = inMeshByChoice().asksFor('v2').runs('v2', 2).rests();
    scene.edits({ traffic: { ...scene.modelDeployment.spec.traffic, router: 'Service' } });
    const sees = (lastSeenSecondsAgo: number): Scene =>
      scene.reportOf('v1-pod-0', {
        ...{ lastConnectionSecondsAgo: 600, routings: [{ hash: 'routes-of-before', lastSeenSecondsAgo }] },
      });
    sees(2).rests().later(DRAIN_MS).rests();
    expect(scene.status.stable).toBe(scene.revision('v2'));
    expect(scene.isMade('Deployment', 'v1')).toBe(true);
    sees(5).rests();
    expect(scene.isMade('Deployment', 'v1')).toBe(false);
  });
});

describe('SplitsTraffic', () => {
  const messageOf = (scene: Scene): string =>
    scene.status.conditions?.find(({ type }) => type === 'SplitsTraffic')?.message ?? '';

  test('does not hold without a mesh, and names the Service that reaches the candidate', () => {
    const scene = plain('RollingUpdate');
    expect(scene.condition('SplitsTraffic')).toBe('False');
    expect(messageOf(scene)).toMatch(/needs Istio$/);
    scene.asksFor('v2').rests();
    expect(messageOf(scene)).toContain(
      `http://${scene.revision('v2')}.ml.svc.cluster.local reaches the candidate alone`,
    );
  });

  test('holds in a mesh, and names who has no part in it', () => {
    expect(serving().condition('SplitsTraffic')).toBe('True');
    expect(messageOf(serving())).toMatch(/clients of Service fraud without a sidecar always get the stable/);
  });
});

/** Moved by Istio, for clients inside the mesh. */
function inMeshByChoice(): Scene {
  const scene = plain('RollingUpdate');
  scene.platform = { istio: true, customMetrics: true };
  scene
    .rests()
    .later(2 * DRAIN_MS)
    .rests();
  expect(istioKinds(scene)).toEqual(['DestinationRule', 'VirtualService']);
  return scene;
}

function istioKinds(scene: Scene): readonly string[] {
  const ofIstio = scene.children.filter(({ apiVersion }) => apiVersion.includes('istio'));
  return [...new Set(ofIstio.map(({ kind }) => kind))].sort();
}
