import { describe, expect, test } from 'vitest';
import { gatherFacts } from '../../../operator/plan/facts.ts';
import {
  askedAtMs,
  evaluateProof,
  whyUnproven,
  writtenAtMs,
  type Proof,
} from '../../../operator/plan/proof.ts';
import type { RuntimeReport } from '../../../operator/plan/observed.ts';
import { routeAllTo } from '../../../operator/traffic/routing.ts';
import { atFirstPause, GATEWAY_PODS, Scene, serving } from '../../support/scene.ts';

const [GATEWAY_A, GATEWAY_B] = GATEWAY_PODS;

function proofIn(scene: Scene): Proof {
  return evaluateProof(gatherFacts(scene.modelDeployment, scene.observed()), scene.nowMs);
}

/** The routes give `v2` its first 5 % and nobody has been asked yet. */
function justAsked(prepare?: (scene: Scene) => void): Scene {
  const scene = serving('v1', prepare).asksFor('v2').runs('v2', 1);
  while (scene.share('v2') < 5) scene.pass();
  return scene;
}

describe('a routing is proven', () => {
  test('when every gateway pod answers its hash and every runtime its report', () => {
    const scene = justAsked();
    expect(proofIn(scene)).toStrictEqual({
      kind: 'Proven',
      hash: scene.status.routing?.hash,
      sinceMs: scene.nowMs,
    });
  });

  test('for good: a gateway that stops later takes nothing back, and the time of the proof stays', () => {
    const scene = justAsked();
    const provenAtMs = scene.nowMs;
    scene.pass();
    scene.gatewayStops(GATEWAY_A).later(60_000);
    expect(proofIn(scene)).toMatchObject({ kind: 'Proven', sinceMs: provenAtMs });
  });

  test('not at all while nothing has been asked for', () => {
    expect(proofIn(new Scene())).toStrictEqual({ kind: 'Nothing' });
  });

  test('again when it was asked for anew after a hand edit', () => {
    const scene = atFirstPause();
    const live = scene.child('VirtualService', 'fraud');
    const edited = { ...live, spec: { hosts: ['*'], http: [] } } as unknown as NonNullable<typeof live>;
    scene.byHand('VirtualService', 'fraud', edited);
    expect(proofIn(scene).kind).toBe('Unproven');
    scene.gatewayStops(GATEWAY_B).rests();
    expect(scene.share('v2')).toBe(5);
    expect(proofIn(scene).kind).toBe('Unproven');
    scene.gatewaysGoOn().rests();
    expect(proofIn(scene).kind).toBe('Proven');
  });
});

describe('a routing is not proven, with the reason in a sentence', () => {
  const silentRuntime = (scene: Scene): Scene => scene.reportOf('v2-pod-0', 'silent');
  const sighting = (hash: string, lastSeenSecondsAgo: number): Partial<RuntimeReport> => ({
    routings: [{ hash, lastSeenSecondsAgo }],
  });

  const doubts: readonly (readonly [string, (scene: Scene) => Scene, string])[] = [
    [
      'while one gateway pod does not answer, and names it',
      (scene) => scene.gatewayStops(GATEWAY_B),
      `Waiting until every gateway pod has the new routes: ${GATEWAY_B} (no answer within 800 ms); a pod that cannot get them any more has to be deleted`,
    ],
    [
      'while one gateway pod answers an older hash',
      (scene) => scene.gatewayStops(GATEWAY_A, { hash: 'older' }),
      `Waiting until every gateway pod has the new routes: ${GATEWAY_A}; a pod that cannot get them any more has to be deleted`,
    ],
    [
      'while no gateway pod answers, and names them all in order',
      (scene) => scene.gatewayStops(GATEWAY_B, { problem: 'it answered 404' }).gatewayStops(GATEWAY_A),
      `Waiting until every gateway pod has the new routes: ${GATEWAY_A} (no answer within 800 ms), ${GATEWAY_B} (it answered 404); a pod that cannot get them any more has to be deleted`,
    ],
    [
      'while a gateway of the spec does not exist',
      (scene) => scene.gatewayIsMissing('there is no such Gateway object'),
      'Gateway istio-system/public cannot be asked which routes it has: there is no such Gateway object; mend it or take it out of spec.traffic.gateways',
    ],
    [
      'while a ready runtime is silent',
      silentRuntime,
      'Waiting for pod v2-pod-0 to tell which routes its requests came by: let the operator reach its port 8082',
    ],
    [
      'while requests arrive by older routes',
      (scene) => scene.reportOf('v1-pod-1', sighting('older', 0.9)),
      'Waiting until no sidecar sends by the routes before these; a client whose sidecar has lost istiod has to be restarted',
    ],
  ];

  test.each(doubts)('%s', (_when, change, message) => {
    const scene = change(justAsked());
    expect(proofIn(scene)).toStrictEqual({ kind: 'Unproven', hash: scene.status.routing?.hash, message });
  });

  test('when the spec names gateways and there is no answer of any kind', () => {
    const scene = justAsked();
    const observed = { ...scene.observed(), gateways: { proxies: [], missing: [] } };
    const facts = gatherFacts(scene.modelDeployment, observed);
    expect(evaluateProof(facts, scene.nowMs + 60_000)).toMatchObject({
      kind: 'Unproven',
      message: 'No gateway of spec.traffic.gateways was asked yet',
    });
  });

  test.each<readonly [string, (scene: Scene) => Scene]>([
    [
      'a runtime that is not ready is silent',
      (scene) => silentRuntime(scene).pod('v2-pod-0', { ready: false }),
    ],
    [
      'a runtime of a revision without routes is silent',
      (scene) => scene.runs('v3', 1).reportOf('v3-pod-0', 'silent'),
    ],
    [
      'the last request by older routes was a second ago',
      (scene) => scene.reportOf('v1-pod-1', sighting('older', 1)),
    ],
    [
      'requests arrive by the very routes',
      (scene) => scene.reportOf('v1-pod-1', sighting(scene.status.routing?.hash ?? '', 0)),
    ],
  ])('but it does not matter when %s', (_when, change) => {
    expect(proofIn(change(justAsked())).kind).toBe('Proven');
  });
});

describe('without a gateway to ask', () => {
  const withoutGateways = (scene: Scene): void => {
    const { hosts: _hosts, gateways: _gateways, ...traffic } = scene.modelDeployment.spec.traffic;
    scene.edits({ traffic });
  };
  const meshOnly = (): Scene => {
    const scene = new Scene();
    withoutGateways(scene);
    return scene.runs('v1', 2).rests();
  };

  test.each([
    { elapsedMs: 9_999, kind: 'Unproven' },
    { elapsedMs: 10_000, kind: 'Proven' },
  ])('$elapsedMs ms after it was found written the routing is $kind', ({ elapsedMs, kind }) => {
    expect(proofIn(meshOnly().later(elapsedMs)).kind).toBe(kind);
  });

  test('the time begins when the routing was found written, however long the write took', () => {
    const scene = meshOnly();
    const { writtenAt, ...routing } = scene.status.routing ?? { hash: '', askedAt: '' };
    expect(writtenAt).toBeDefined();
    scene.withModelDeployment({ status: { ...scene.status, routing } }).later(20_000);
    expect(proofIn(scene).kind).toBe('Unproven');
    scene.rests().later(9_999);
    expect(proofIn(scene).kind).toBe('Unproven');
    expect(proofIn(scene.later(1)).kind).toBe('Proven');
  });

  test('a sidecar that still sends by older routes is waited for all the same', () => {
    const routings = [{ hash: 'older', lastSeenSecondsAgo: 0.2 }];
    expect(proofIn(meshOnly().later(60_000).reportOf('v1-pod-0', { routings })).kind).toBe('Unproven');
  });

  test('a status that was lost makes the time begin anew', () => {
    const scene = meshOnly().later(60_000).losesStatus();
    expect(proofIn(scene).kind).toBe('Unproven');
    const facts = gatherFacts(scene.modelDeployment, scene.observed());
    expect(askedAtMs(facts, undefined, scene.nowMs)).toBe(scene.nowMs);
    expect(writtenAtMs(facts, undefined, scene.nowMs)).toBe(scene.nowMs);
  });
});

describe('why proxies are not known to use this very routing', () => {
  const doubtIn = (scene: Scene): string | undefined => {
    const facts = gatherFacts(scene.modelDeployment, scene.observed());
    return whyUnproven(facts, evaluateProof(facts, scene.nowMs), routeAllTo(scene.revision('v1')));
  };

  test('there is no reason once all of them have it', () => {
    expect(doubtIn(serving())).toBeUndefined();
  });

  test('another routing is proven', () => {
    expect(doubtIn(atFirstPause())).toBe('The routes are being written');
  });

  test('the routing is proven with another timeout than the spec has now', () => {
    const scene = serving();
    scene.edits({ traffic: { ...scene.modelDeployment.spec.traffic, timeout: '5s' } });
    expect(doubtIn(scene)).toBe('The routes are being written');
  });

  test('no routes were ever written', () => {
    expect(doubtIn(new Scene())).toBe('The routes are being written');
  });
});
