import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelDeploymentStatus } from '../../operator/api/model-deployment.ts';
import { labels } from '../../operator/api/names.ts';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { Installation } from './support/installation.ts';
import type { OperatorProcess } from './support/operator-process.ts';
import { StandInNode } from './support/stand-in-node.ts';

interface Service extends KubernetesObject {
  readonly spec: { readonly selector: Readonly<Record<string, string>> };
}

const model = (version: number): object => ({
  uri: `https://models.example.com/fraud/${version}/model.onnx`,
});

/** In this order: each story goes on from the one before. */
describe('the operator on a cluster without Istio', () => {
  let installation: Installation;
  let node: StandInNode;
  let operator: OperatorProcess;

  beforeAll(async () => {
    installation = await Installation.create({ istio: false });
    node = new StandInNode(installation);
    operator = await installation.startOperator();
  });

  afterAll(async () => {
    await node.stop();
    await installation.stop();
  });

  async function selected(): Promise<string | undefined> {
    return ((await installation.get('Service', 'fraud')) as Service).spec.selector[labels.revision];
  }

  async function apply(version: number, strategy: string): Promise<void> {
    await installation.apply('fraud', {
      model: model(version),
      scaling: { minReplicas: 2 },
      rollout: { strategy },
    });
  }

  async function promoted(before: string | undefined): Promise<ModelDeploymentStatus> {
    return await installation.waitForStatus(
      'fraud',
      'promoted',
      ({ phase, stable }) => phase === 'Healthy' && stable !== before,
      60_000,
    );
  }

  test('says what a plain Service cannot do', async () => {
    await apply(1, 'RollingUpdate');
    const { conditions } = await installation.healthy('fraud');
    expect(conditions?.find(({ type }) => type === 'SplitsTraffic')).toMatchObject({
      status: 'False',
      reason: 'PlainService',
    });
  });

  test('holds a rolling update while the EndpointSlices are late, and goes through when they follow', async () => {
    const { stable } = await installation.healthy('fraud');
    node.endpoints.isAwake = false;
    await apply(2, 'RollingUpdate');
    const held = await installation.waitForStatus(
      'fraud',
      'held by its EndpointSlices',
      ({ reason, message }) =>
        reason === 'RoutingUnproven' && /EndpointSlices of Service fraud/.test(message ?? ''),
    );
    expect(held).toMatchObject({ stable, weight: '0%' });
    expect(await selected()).toBe(held.candidate);
    node.endpoints.isAwake = true;
    expect((await promoted(stable)).stable).toBe(held.candidate);
  });

  test('ends the old pods, and asks nobody any more when all is done', async () => {
    await installation.waitForStatus(
      'fraud',
      'alone',
      ({ conditions }) => conditions?.every(({ type }) => type !== 'Retiring') === true,
      60_000,
    );
    await expect(installation.list('Deployment', 'fraud')).resolves.toHaveLength(1);
    const fromMs = Date.now();
    await expect(installation.writesWithin(5_000)).resolves.toEqual([]);
    const asked = (await installation.requestsOfOperator()).filter(
      ({ at, resource }) => at > fromMs && resource === 'endpointslices',
    );
    expect(asked).toEqual([]);
  });

  test('recreates: no pod of the new revision while there is one of the old', async () => {
    const { stable = '' } = await installation.healthy('fraud');
    await apply(3, 'Recreate');
    const seen = await installation.waitForStatus(
      'fraud',
      'recreating',
      ({ reason }) => reason === 'Recreating',
    );
    expect(seen.message).toMatch(/nobody is served/i);
    const after = await promoted(stable);
    const writes = await installation.requestsOfOperator();
    const at = (verb: string, name: string | undefined): number =>
      writes.findIndex(
        ({ verb: done, resource, name: written }) =>
          done === verb && resource === 'deployments' && written === name,
      );
    expect(at('delete', stable)).toBeGreaterThan(-1);
    expect(at('patch', after.stable)).toBeGreaterThan(at('delete', stable));
    await expect(installation.find('Deployment', stable)).resolves.toBeUndefined();
  });

  test('brings the old revision back when the recreated one fails', async () => {
    const { stable } = await installation.healthy('fraud');
    await apply(4, 'Recreate');
    const { candidate = '' } = await installation.waitForStatus(
      'fraud',
      'recreating',
      ({ reason }) => reason === 'Recreating',
    );
    node.setState(candidate, {
      crashed: { message: JSON.stringify({ reason: 'ModelInvalid', message: 'the file is no model' }) },
    });
    const aborted = await installation.waitForStatus(
      'fraud',
      'served by the old one again',
      ({ phase, conditions }) =>
        phase === 'Aborted' &&
        conditions?.some(({ type, status }) => type === 'Available' && status === 'True') === true,
      60_000,
    );
    expect(aborted).toMatchObject({ stable, reason: 'ModelInvalid' });
    expect(await selected()).toBe(stable);
  });

  test('holds a canary with the users on the stable, and says what is missing', async () => {
    const { stable } = await installation.modelDeployment('fraud').then(({ status }) => status ?? {});
    await apply(5, 'Canary');
    const { message } = await installation.waitForStatus(
      'fraud',
      'told that a canary needs a mesh',
      ({ reason }) => reason === 'StrategyUnsupported',
    );
    expect(message).toMatch(/install Istio.* or choose RollingUpdate, BlueGreen or Recreate/);
    expect(await selected()).toBe(stable);
    await apply(5, 'RollingUpdate');
    await promoted(stable);
    expect(operator.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
