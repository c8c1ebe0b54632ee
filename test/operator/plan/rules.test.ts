import { describe, expect, test } from 'vitest';
import { atFirstPause, GATEWAY_PODS, Scene, serving } from '../../support/scene.ts';

const [GATEWAY_A, GATEWAY_B] = GATEWAY_PODS;
const invalid = {
  ready: false,
  crashes: 1,
  lastTermination: { reason: 'ModelInvalid', message: 'The file is no ONNX model', exitCode: 1 },
};

/** `v2` was given up under traffic; its pod is still there. */
function justAborted(prepare?: (scene: Scene) => void): Scene {
  return atFirstPause(prepare).pod('v2-pod-0', invalid);
}

describe('a ModelDeployment that is being deleted', () => {
  test('gets no writes and says what happens', () => {
    const scene = serving();
    const { metadata } = scene.modelDeployment;
    const deletionTimestamp = new Date(scene.nowMs).toISOString();
    scene.withModelDeployment({ metadata: { ...metadata, deletionTimestamp } });
    const { actions, status, requeueAfterMs } = scene.plan();
    expect(actions).toStrictEqual([]);
    expect(requeueAfterMs).toBeUndefined();
    expect(status).toMatchObject({ phase: 'Deleting', reason: 'Deleting' });
    expect(status.message).toBe('Kubernetes removes everything that this ModelDeployment owns');
  });

  test('gets none in the middle of a rollout either', () => {
    const scene = atFirstPause().pod('v2-pod-0', invalid);
    const metadata = {
      ...scene.modelDeployment.metadata,
      deletionTimestamp: new Date(scene.nowMs).toISOString(),
    };
    expect(scene.withModelDeployment({ metadata }).plan().actions).toStrictEqual([]);
  });
});

describe('the first revision', () => {
  test('is brought up without routes and without an entry Service', () => {
    const scene = new Scene().rests();
    expect(scene.status).toMatchObject({ phase: 'Pending', reason: 'WaitingForPods' });
    expect(scene.status.message).toBe(
      `Waiting for the first revision ${scene.revision('v1')}: 0 of 2 pods ready`,
    );
    expect(scene.children.map(({ kind }) => kind).sort()).toStrictEqual([
      'ControllerRevision',
      'Deployment',
      'DestinationRule',
      'HorizontalPodAutoscaler',
      'PodDisruptionBudget',
      'Service',
    ]);
    expect(scene.routing).toBeUndefined();
  });

  test('is promoted with its smallest size, not before', () => {
    const scene = new Scene().runs('v1', 1).rests();
    expect(scene.status).toMatchObject({ phase: 'Pending' });
    expect(scene.status.message).toContain('1 of 2 pods ready');
    scene.runs('v1', 2).rests();
    expect(scene.status).toMatchObject({ phase: 'Healthy', stable: scene.revision('v1') });
    expect(scene.share('v1')).toBe(100);
  });

  test('is looked at again when its deadline is over, although nothing happens', () => {
    const scene = new Scene();
    scene.pass();
    expect(scene.later(60_000).plan().requeueAfterMs).toBe(9 * 60_000);
  });

  test('gives way to an edit, and nothing of it is left', () => {
    const scene = new Scene().runs('v1', 1, invalid).rests();
    expect(scene.status.phase).toBe('Degraded');
    scene.asksFor('v2').runs('v2', 2).rests();
    expect(scene.status).toMatchObject({ phase: 'Healthy', stable: scene.revision('v2') });
    expect(scene.isMade('Deployment', 'v1')).toBe(false);
    scene.runs('v1', 0).later(60_000).rests();
    expect(scene.isMade('Service', 'v1')).toBe(false);
  });
});

describe('an abort', () => {
  test('takes all traffic away in the pass that sees the evidence, records it and tells of it', () => {
    const scene = justAborted();
    scene.pass();
    expect(scene.share('v2')).toBe(0);
    expect(scene.status).toMatchObject({ phase: 'Aborted', reason: 'ModelInvalid', step: '1/4' });
    expect(scene.events.at(-1)).toStrictEqual({
      type: 'Warning',
      reason: 'ModelInvalid',
      message: `Revision ${scene.revision('v2')} is given up: The file is no ONNX model`,
    });
  });

  test('writes its mark first and the routes next, before anything else', () => {
    const kinds = justAborted()
      .plan()
      .actions.flatMap((action) => (action.kind === 'Apply' ? [action.object.kind] : []));
    expect(kinds.slice(0, 3)).toStrictEqual(['ControllerRevision', 'VirtualService', 'VirtualService']);
  });

  test('leaves the stable as it is', () => {
    const scene = justAborted();
    const before = scene.child('Deployment', scene.revision('v1'));
    scene.rests();
    expect(scene.child('Deployment', scene.revision('v1'))).toBe(before);
    expect(scene.status.stable).toBe(scene.revision('v1'));
  });

  test('says that traffic is going back until every gateway is proven, and names the one that waits', () => {
    const scene = justAborted().gatewayStops(GATEWAY_A).rests();
    expect(scene.status.message).toContain(
      `All traffic goes back to ${scene.revision('v1')}. Waiting until every gateway pod has the new routes: ${GATEWAY_A}`,
    );
    expect(scene.status.weight).toBe('5%');
    scene.gatewaysGoOn().rests();
    expect(scene.status.message).toContain(`All traffic is on ${scene.revision('v1')}; change the model`);
    expect(scene.status.weight).toBe('0%');
  });

  test('never says that traffic is back in the pass that only writes it', () => {
    const scene = justAborted();
    scene.pass({ crashBefore: 'Status' });
    // The routes are as they were: the operator died between the mark and them.
    const before = atFirstPause();
    for (const name of ['fraud', 'fraud.mesh'])
      scene.byHand('VirtualService', name, before.child('VirtualService', name));
    expect(scene.plan().status.message).toContain('All traffic goes back to');
  });

  test('holds against time, crashes of the operator and a lost status', () => {
    const scene = justAborted().rests();
    scene.runs('v2', 0).later(60_000).rests();
    scene.losesStatus().later(3_600_000).rests();
    expect(scene.status).toMatchObject({ phase: 'Aborted', reason: 'ModelInvalid' });
    expect(scene.isMade('Deployment', 'v2')).toBe(false);
  });

  test('ends with the next edit: a fixed model is tried', () => {
    const scene = justAborted().rests().asksFor('v3').runs('v3', 1).rests();
    expect(scene.status).toMatchObject({ phase: 'Paused', candidate: scene.revision('v3') });
    expect(scene.share('v3')).toBe(5);
  });

  test('ends with the way back: the stable is Healthy again', () => {
    const scene = justAborted().rests().asksFor('v1').rests();
    expect(scene.status.phase).toBe('Healthy');
    expect(scene.status.candidate).toBeUndefined();
  });

  test('does not try the same revision again', () => {
    const scene = justAborted().rests().asksFor('v1').rests().asksFor('v2').runs('v2', 2).rests();
    expect(scene.status.phase).toBe('Aborted');
    expect(scene.share('v2')).toBe(0);
  });

  test('keeps the pods of the stable while the others drain, and lets them shrink afterwards', () => {
    const scene = justAborted();
    scene.pass();
    const selectPolicy = (): unknown => {
      const autoscaler = scene.child('HorizontalPodAutoscaler', scene.revision('v1'));
      return JSON.stringify(autoscaler).includes('"selectPolicy":"Disabled"');
    };
    expect(selectPolicy()).toBe(true);
    scene.rests().runs('v2', 0).later(60_000).rests();
    expect(selectPolicy()).toBe(false);
  });
});

describe('a settled ModelDeployment', () => {
  test('is Healthy only when every gateway is proven to use its routes', () => {
    const scene = new Scene().runs('v1', 2).gatewayStops(GATEWAY_B).rests();
    expect(scene.status).toMatchObject({ phase: 'Progressing', reason: 'RoutingUnproven' });
    expect(scene.condition('Ready')).toBe('False');
    expect(scene.gatewaysGoOn().rests().status.phase).toBe('Healthy');
  });

  test('is never Healthy in a pass that still writes its routes', () => {
    const scene = new Scene().runs('v1', 2);
    for (let pass = 0; pass < 20; pass += 1) {
      const { actions, status } = scene.pass();
      const writes = actions.some(
        (action) => action.kind === 'Apply' && action.object.kind === 'VirtualService',
      );
      expect(writes && status.phase === 'Healthy').toBe(false);
    }
    expect(scene.status.phase).toBe('Healthy');
  });

  test('is not Healthy while users are still on the candidate that an edit gave up', () => {
    const scene = atFirstPause().asksFor('v1').gatewayStops(GATEWAY_A);
    expect(scene.plan().status).toMatchObject({ phase: 'Progressing', reason: 'RoutingUnproven' });
    expect(scene.rests().status.reason).toBe('RoutingUnproven');
    expect(scene.gatewaysGoOn().rests().status.phase).toBe('Healthy');
  });

  test('is not Healthy with an edit of its traffic that no gateway knows yet', () => {
    const scene = serving();
    scene.edits({ traffic: { ...scene.modelDeployment.spec.traffic, timeout: '5s' } });
    expect(scene.plan().status.phase).toBe('Progressing');
    expect(scene.rests().status.phase).toBe('Healthy');
  });

  test('is Degraded without a ready pod, with the reason', () => {
    const waiting = { reason: 'Unschedulable', message: '0/1 nodes are available' };
    const scene = serving().runs('v1', 2, { ready: false, waiting }).rests();
    expect(scene.status).toMatchObject({ phase: 'Degraded', reason: 'NoReadyPods' });
    expect(scene.status.message).toBe(
      `No pod of ${scene.revision('v1')} is ready: Unschedulable: 0/1 nodes are available`,
    );
    expect(scene.condition('Available')).toBe('False');
  });

  test('is Progressing below its smallest size, and Available', () => {
    const scene = serving().runs('v1', 1).rests();
    expect(scene.status).toMatchObject({ phase: 'Progressing', reason: 'WaitingForPods' });
    expect(scene.status.message).toBe(`1 of at least 2 pods of ${scene.revision('v1')} are ready`);
    expect(scene.condition('Available')).toBe('True');
  });

  test('says that Istio is missing where its gateways need it, and goes on by itself when it arrives', () => {
    const scene = new Scene();
    scene.platform = { istio: false, customMetrics: true };
    scene.runs('v1', 2).rests();
    expect(scene.status).toMatchObject({ phase: 'Progressing', reason: 'IstioMissing' });
    expect(scene.status.message).toBe(
      'The cluster does not serve networking.istio.io/v1, so nothing arrives through spec.traffic.gateways: install Istio, or remove the gateways; this goes on by itself then',
    );
    expect(scene.children.some(({ apiVersion }) => apiVersion.includes('istio'))).toBe(false);
    scene.platform = { istio: true, customMetrics: true };
    expect(scene.rests().status.phase).toBe('Healthy');
  });

  test('needs no Istio for neighbours only', () => {
    const scene = new Scene();
    const { hosts: _hosts, gateways: _gateways, ...traffic } = scene.modelDeployment.spec.traffic;
    scene.platform = { istio: false, customMetrics: true };
    expect(scene.edits({ traffic }).runs('v1', 2).rests().status.phase).toBe('Healthy');
  });
});
