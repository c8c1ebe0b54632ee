import { randomInt } from 'node:crypto';
import { setTimeout as rest } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { declaredGrants } from '../../operator/kube/grants.ts';
import { usedGrants } from '../bed/audit.ts';
import { waitFor } from '../bed/wait.ts';
import { answerTo } from './support/decider.ts';
import { Installation, NAMESPACE, SYSTEM_NAMESPACE } from './support/installation.ts';
import type { OperatorProcess } from './support/operator-process.ts';
import { GATEWAY, StandInGateway } from './support/stand-in-gateway.ts';
import { StandInNode } from './support/stand-in-node.ts';

function specOf(name: string, version: number): object {
  return {
    model: { uri: `https://models.example.com/${name}/${version}/model.onnx` },
    traffic: { hosts: [`${name}.example.com`], gateways: [GATEWAY] },
    rollout: { canary: { steps: [{ weight: 10 }, { weight: 60 }, { weight: 100 }] } },
  };
}

describe('the life of the operator process on a real API server', () => {
  let installation: Installation;
  let node: StandInNode;
  let gateway: StandInGateway;
  let operator: OperatorProcess;

  beforeAll(async () => {
    // Lists in pages, so that the right to list is used; the other tests here let them be streamed.
    installation = await Installation.create({ istio: true, streamsLists: false });
    gateway = await StandInGateway.start(installation);
    node = new StandInNode(installation);
    operator = await installation.startOperator();
    await installation.apply('fraud', specOf('fraud', 1));
    await installation.healthy('fraud');
  });

  afterAll(async () => {
    await node.stop();
    await gateway.stop();
    await installation.stop();
  });

  /** Whatever a test did to it: the next one finds an operator that runs. */
  afterEach(async () => {
    if (!operator.isRunning) operator = await installation.startOperator();
  });

  /** Settled when one rollout has brought the fraud model to this version and nothing is left of the others. */
  async function arrivesAt(version: number): Promise<void> {
    const { metadata, spec } = await installation.modelDeployment('fraud');
    expect(spec.model.uri).toContain(`/${version}/`);
    const status = await installation.waitForStatus(
      'fraud',
      `at version ${version} alone`,
      ({ phase, observedGeneration, conditions }) =>
        phase === 'Healthy' &&
        observedGeneration === metadata.generation &&
        conditions?.every(({ type }) => type !== 'Retiring') === true,
      50_000,
    );
    for (const kind of ['Deployment', 'HorizontalPodAutoscaler', 'DestinationRule'] as const) {
      const names = (await installation.list(kind, 'fraud')).map((child) => child.metadata.name);
      expect(names).toEqual([status.stable]);
    }
    await expect(installation.writesWithin(2_000)).resolves.toEqual([]);
  }

  /** Which it has to read, to check and to answer. */
  async function decidesSomething(): Promise<void> {
    const spec = { modelDeployment: 'fraud', rollout: 'another', action: 'Abort', decidedBy: 'bed-admin' };
    await installation.server.kubectl.apply([
      {
        ...{ apiVersion: 'headgate.dev/v1alpha1', kind: 'RolloutDecision' },
        ...{ metadata: { name: 'any', namespace: NAMESPACE }, spec },
      },
    ]);
    await answerTo(installation, 'any');
  }

  async function recordNames(): Promise<readonly string[]> {
    return (await installation.list('ControllerRevision', 'fraud')).map(({ metadata }) => metadata.name);
  }

  async function latestRecord(): Promise<number> {
    const records = await installation.list('ControllerRevision', 'fraud');
    return Math.max(
      ...records.map((record) => (record as unknown as { readonly revision: number }).revision),
    );
  }

  test('tells over HTTP that it lives and is ready', async () => {
    await expect(operator.ask('/livez')).resolves.toEqual({ status: 200, body: 'ok\n' });
    await expect(operator.ask('/readyz')).resolves.toEqual({ status: 200, body: 'ok\n' });
  });

  test('counts its passes, requests and models in its metrics', async () => {
    const { body } = await operator.ask('/metrics');
    expect(body).toContain('headgate_model_deployments{phase="Healthy"} 1');
    expect(body).toContain('headgate_rollouts_total{outcome="Promoted",reason=""} 1');
    expect(body).toMatch(/headgate_api_requests_total\{verb="patch",code="20[01]"\} \d/);
    expect(body).toMatch(/headgate_reconcile_duration_seconds_count\{outcome="done"\} \d/);
    expect(body).toContain('headgate_queue_depth 0');
  });

  test('writes nothing but lines of its log, and no credentials into them', () => {
    expect(operator.noise).toEqual([]);
    expect(operator.log.map(({ message }) => message)).toEqual(
      expect.arrayContaining(['starting', 'ready', 'a rollout has ended']),
    );
    expect(JSON.stringify(operator.log)).not.toMatch(/bearer|eyJ/i);
  });

  test('ends within a second of SIGTERM, in good order', async () => {
    const { code, afterMs } = await operator.terminate();
    expect(code).toBe(0);
    expect(afterMs).toBeLessThan(1_000);
    expect(operator.lines('stopped')).toHaveLength(1);
  });

  test('ends within a second of SIGTERM in the middle of a rollout, and its successor goes on', async () => {
    await installation.apply('fraud', specOf('fraud', 2));
    await installation.waitForStatus('fraud', 'under way', ({ rollout }) => rollout !== undefined);
    const { code, afterMs } = await operator.terminate();
    expect(code).toBe(0);
    expect(afterMs).toBeLessThan(1_000);
    operator = await installation.startOperator();
    await arrivesAt(2);
  });

  test('changes nothing by being started anew', async () => {
    await operator.terminate();
    const startedAtMs = Date.now();
    operator = await installation.startOperator();
    await expect(installation.writesWithin(3_000)).resolves.toEqual([]);
    expect(await installation.writesSince(startedAtMs)).toEqual([]);
  });

  test('converges although it is killed again and again in mid-work', async () => {
    await installation.apply('fraud', specOf('fraud', 3));
    for (let round = 0; round < 5; round += 1) {
      await waitFor('it leads', () => operator.lines('leading').length > 0);
      await rest(randomInt(50, 400));
      await operator.kill();
      operator = await installation.launchOperator();
    }
    await arrivesAt(3);
    const { status } = await installation.modelDeployment('fraud');
    expect(status?.history?.map(({ outcome }) => outcome)).toEqual(['Promoted', 'Promoted', 'Promoted']);
  }, 180_000);

  test('uses every right that the chart grants it, and is refused nothing', async () => {
    // More revisions than are kept as records, and then no gateway, so that there is no place for their VirtualService.
    const rollout = { revisionHistoryLimit: 1 };
    for (const edit of ['1', '2', '3']) {
      const before = await latestRecord();
      const podTemplate = { metadata: { annotations: { edit } } };
      await installation.apply('fraud', { ...specOf('fraud', 3), podTemplate, rollout });
      await waitFor(`edit ${edit} has its record`, async () => (await latestRecord()) > before);
    }
    const recorded = await recordNames();
    const model = { uri: 'https://models.example.com/fraud/3/model.onnx' };
    await installation.apply('fraud', { model, rollout });
    await waitFor(
      'their VirtualService is gone',
      async () => (await installation.find('VirtualService', 'fraud')) === undefined,
    );
    await waitFor('a record is forgotten', async () => {
      const present = await recordNames();
      return recorded.some((name) => !present.includes(name));
    });
    await decidesSomething();
    await installation.apply('plain', { model, traffic: { router: 'Service' } });
    await waitFor('the endpoints of a plain Service are asked for', async () =>
      usedGrants(await installation.requestsOfOperator()).has('list endpointslices.discovery.k8s.io'),
    );
    await installation.server.kubectl('delete', 'lease', 'headgate', '--namespace', SYSTEM_NAMESPACE);
    await waitFor(
      'the lease is back',
      async () => await installation.get('Lease', 'headgate', SYSTEM_NAMESPACE),
    );
    const requests = await installation.requestsOfOperator();
    expect(requests.filter(({ isAuthorized }) => !isAuthorized)).toEqual([]);
    expect([...usedGrants(requests)].sort()).toEqual([...declaredGrants()].sort());
  });

  test('outlives an API server that goes away, and catches up with what it missed', async () => {
    await installation.server.interrupt();
    await rest(3_000);
    expect(operator.isRunning).toBe(true);
    await installation.server.resume();
    await installation.apply('fraud', specOf('fraud', 4));
    await arrivesAt(4);
    expect(operator.log.filter(({ message }) => message === 'starting')).toHaveLength(1);
  });

  test('waits for an API server that is not there when it starts', async () => {
    await operator.terminate();
    await installation.server.interrupt();
    operator = await installation.launchOperator();
    await waitFor('it is alive', async () => (await operator.ask('/livez')).status === 200);
    await expect(operator.ask('/readyz')).resolves.toMatchObject({ status: 503 });
    await installation.server.resume();
    await operator.ready();
    await installation.apply('fraud', specOf('fraud', 5));
    await arrivesAt(5);
  });
});
