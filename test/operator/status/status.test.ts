import { describe, expect, test } from 'vitest';
import { atFirstPause, GATEWAY_PODS, Scene, serving } from '../../support/scene.ts';

const MINUTE = 60_000;

describe('the columns of kubectl get', () => {
  test('tell of a pause at 5 %', () => {
    const scene = atFirstPause();
    expect(scene.status).toMatchObject({
      phase: 'Paused',
      reason: 'PausedForATime',
      step: '1/4',
      weight: '5%',
      stable: scene.revision('v1'),
      candidate: scene.revision('v2'),
      ready: '3/3',
      url: 'http://fraud.example.com/fraud',
    });
  });

  test('tell of rest with less', () => {
    const { status } = serving();
    expect(status).toMatchObject({ phase: 'Healthy', ready: '2/2' });
    expect(
      ['candidate', 'step', 'weight', 'p95', 'rollout'].filter((field) => field in status),
    ).toStrictEqual([]);
  });

  test('tell of an abort how far it came, and that nobody is there any more', () => {
    const scene = atFirstPause().later(MINUTE).runs('v2', 1).rests().pod('v2-pod-0', { crashes: 1 }).rests();
    expect(scene.status).toMatchObject({
      phase: 'Aborted',
      step: '3/4',
      weight: '0%',
      candidate: scene.revision('v2'),
    });
    expect('rollout' in scene.status).toBe(false);
  });

  test('count pods that are ready, of those that shall run', () => {
    const scene = serving()
      .runs('v1', 3)
      .pod('v1-pod-0', { ready: false })
      .pod('v1-pod-1', { ready: false, terminating: true });
    expect(scene.rests().status.ready).toBe('1/2');
  });

  test('show the worst p95 of the candidate while it is tried', () => {
    const scene = atFirstPause()
      .runs('v2', 2)
      .reportOf('v2-pod-0', { latencyP95Ms: 12.4 })
      .reportOf('v2-pod-1', { latencyP95Ms: 41.6 });
    expect(scene.rests().status.p95).toBe('42ms');
    scene.reportOf('v2-pod-0', 'silent').reportOf('v2-pod-1', 'silent');
    expect('p95' in scene.rests().status).toBe(false);
  });

  test.each<readonly [string, Partial<Scene['modelDeployment']['spec']['traffic']> | 'none', string]>([
    [
      'the first host with the prefix',
      { hosts: ['a.example.com', 'b.example.com'] },
      'http://a.example.com/fraud',
    ],
    ['the host alone when the prefix is /', { pathPrefix: '/' }, 'http://fraud.example.com'],
    ['the Service without a host', 'none', 'http://fraud.ml.svc.cluster.local'],
  ])('name %s as the address', (_what, traffic, url) => {
    const scene = new Scene();
    const { hosts, gateways, ...rest } = scene.modelDeployment.spec.traffic;
    const given = { ...(hosts && { hosts }), ...(gateways && { gateways }), ...rest };
    scene.edits({ traffic: traffic === 'none' ? rest : { ...given, ...traffic } });
    expect(scene.runs('v1', 2).rests().status.url).toBe(url);
  });

  test('name no address before anybody is served', () => {
    expect('url' in new Scene().rests().status).toBe(false);
  });
});

describe('the weights of revisions', () => {
  const weights = (scene: Scene): unknown =>
    Object.fromEntries(
      (scene.status.revisions ?? []).map(({ name, weight, provenWeight }) => [name, [weight, provenWeight]]),
    );

  test('are what is asked for and what is proven, which differ while a gateway is behind', () => {
    const scene = atFirstPause().gatewayStops(GATEWAY_PODS[1]).later(MINUTE).rests();
    expect(weights(scene)).toStrictEqual({
      [scene.revision('v1')]: [5_000, 9_500],
      [scene.revision('v2')]: [5_000, 500],
    });
    expect(scene.status.weight).toBe('5%');
    scene.gatewaysGoOn().rests();
    expect(weights(scene)).toStrictEqual({
      [scene.revision('v1')]: [5_000, 5_000],
      [scene.revision('v2')]: [5_000, 5_000],
    });
  });

  test('are still known to be proven in the pass that asks for others', () => {
    const scene = atFirstPause().later(MINUTE);
    while (scene.share('v2') === 5) scene.pass();
    expect([scene.share('v2'), scene.status.weight]).toStrictEqual([50, '5%']);
  });

  test('claim nothing of a status that was lost', () => {
    const scene = atFirstPause().gatewayStops(GATEWAY_PODS[0]).losesStatus().rests();
    expect(scene.status.weight).toBe('0%');
  });

  test('leave out a revision without pods and traffic', () => {
    const scene = atFirstPause().asksFor('v1').rests().later(MINUTE).rests().runs('v2', 0).rests();
    expect(scene.status.revisions?.map(({ name }) => name)).toStrictEqual([scene.revision('v1')]);
  });

  test('list at most as many revisions as the API takes, the newest first', () => {
    const scene = serving();
    for (let round = 0; round < 35; round += 1) {
      scene.edits({ model: { uri: `file:///models/${round}.onnx` } }).rests();
      const revision = scene.status.candidate ?? '';
      scene.pods = [
        ...scene.pods,
        { name: `pod-${round}`, revision, ready: true, terminating: false, crashes: 0 },
      ];
    }
    scene.pass();
    expect(scene.status.revisions).toHaveLength(32);
    expect(scene.status.revisions?.[0]?.name).toBe(scene.status.candidate);
  });
});

describe('the digest of a model', () => {
  test('is what its runtime says, and is kept when nobody is asked any more', () => {
    const scene = serving();
    expect(scene.status.revisions?.[0]?.modelDigest).toBe('d'.repeat(64));
    expect(scene.later(3_600_000).plan().status.revisions?.[0]?.modelDigest).toBe('d'.repeat(64));
  });

  test('is left out while no runtime has loaded one', () => {
    const scene = new Scene()
      .runs('v1', 1, { ready: false })
      .reportOf('v1-pod-0', { modelDigest: null })
      .rests();
    expect(scene.status.revisions?.[0]).not.toHaveProperty('modelDigest');
  });
});

describe('the history', () => {
  test('tells how rollouts ended, the newest first, and survives a lost status', () => {
    const scene = atFirstPause().later(MINUTE).pod('v2-pod-0', { crashes: 1 }).rests();
    const expected = [
      { revision: scene.revision('v2'), outcome: 'Aborted', reason: 'CrashLoop' },
      { revision: scene.revision('v1'), outcome: 'Promoted' },
    ];
    expect(scene.status.history).toMatchObject(expected);
    expect(scene.losesStatus().rests().status.history).toMatchObject(expected);
  });
});

describe('the memory of a routing', () => {
  test('stays as an earlier release has written it, once it was proven', () => {
    const scene = serving();
    const { hash = '', askedAt = '', provenAt = '' } = scene.status.routing ?? {};
    const routing = { hash, askedAt, provenAt };
    scene
      .withModelDeployment({ status: { ...scene.status, routing } })
      .later(MINUTE)
      .pass();
    expect(scene.status.routing).toStrictEqual(routing);
  });

  test('says when it was asked for, when it was found written and when it was proven', () => {
    const scene = atFirstPause().later(MINUTE);
    while (scene.share('v2') < 50) scene.pass();
    scene.gatewayStops(GATEWAY_PODS[0]).later(1_000).pass();
    scene.later(MINUTE).rests();
    const [writtenAt, askedAt] = [MINUTE, MINUTE + 1_000].map((agoMs) =>
      new Date(scene.nowMs - agoMs).toISOString(),
    );
    const { hash } = scene.status.routing ?? {};
    expect(scene.status.routing).toStrictEqual({ hash, askedAt, writtenAt });
    scene.gatewaysGoOn().later(1_000);
    scene.pass();
    expect(scene.status.rollout?.stepIndex).toBe(3);
    expect(scene.status.routing).toStrictEqual({
      ...{ hash, askedAt, writtenAt },
      provenAt: new Date(scene.nowMs).toISOString(),
    });
  });
});

test('a message that is longer than its field is cut', () => {
  const waiting = { reason: 'Unschedulable', message: 'x'.repeat(2_000) };
  const { message, conditions } = new Scene().runs('v1', 1, { ready: false, waiting }).rests().status;
  expect(message).toHaveLength(1_024);
  expect(conditions?.find(({ type }) => type === 'Ready')?.message).toBe(message);
});

test('the generation that was observed is that of the spec', () => {
  const scene = serving();
  scene.edits({ scaling: { ...scene.modelDeployment.spec.scaling, maxReplicas: 9 } }).rests();
  expect(scene.status.observedGeneration).toBe(scene.modelDeployment.metadata.generation);
});
