import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labels, meshVirtualServiceName } from '../../operator/api/names.ts';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { Installation, NAMESPACE } from './support/installation.ts';
import type { OperatorProcess } from './support/operator-process.ts';
import { GATEWAY, StandInGateway } from './support/stand-in-gateway.ts';
import { StandInNode } from './support/stand-in-node.ts';
import { waitFor } from '../bed/wait.ts';

const model = { uri: 'https://models.example.com/fraud/model.onnx' };

function trafficOf(name: string): object {
  return { hosts: [`${name}.example.com`], gateways: [GATEWAY] };
}

/** Whatever an object of somebody else may hold that an apply would not even conflict with. */
const foreign: Readonly<Record<string, object>> = {
  Service: { apiVersion: 'v1', spec: { ports: [{ port: 9000 }] } },
  VirtualService: {
    apiVersion: 'networking.istio.io/v1',
    spec: { hosts: ['elsewhere.example.com'], gateways: ['theirs'], http: [] },
  },
};

describe('names that are taken', () => {
  let installation: Installation;
  let node: StandInNode;
  let gateway: StandInGateway;
  let operator: OperatorProcess;

  beforeAll(async () => {
    installation = await Installation.create({ istio: true });
    gateway = await StandInGateway.start(installation);
    node = new StandInNode(installation);
    operator = await installation.startOperator();
  });

  afterAll(async () => {
    await node.stop();
    await gateway.stop();
    await installation.stop();
  });

  async function taken(name: string): Promise<string> {
    const status = await installation.waitForStatus(
      name,
      'told of the name',
      ({ reason, stable }) => reason === 'NameTaken' && stable !== undefined,
    );
    return status.message ?? '';
  }

  test.each(['Service', 'VirtualService'] as const)(
    "somebody else's %s of the ModelDeployment's name stays as it is, and the rest goes on",
    async (kind) => {
      const name = `meets-${kind.toLowerCase()}`;
      await installation.server.kubectl.apply([
        { ...foreign[kind], kind, metadata: { name, namespace: NAMESPACE, labels: { app: 'theirs' } } },
      ]);
      const before = await installation.get(kind, name);
      await installation.apply(name, { model, traffic: trafficOf(name) });
      expect(await taken(name)).toContain(`${kind} ${name} exists already`);
      expect(await installation.get(kind, name)).toEqual(before);
      await expect(installation.list('Deployment', name)).resolves.toHaveLength(1);
      const mesh = await installation.find('VirtualService', meshVirtualServiceName(name));
      expect(mesh).toBeDefined();

      await installation.remove(kind, name);
      await installation.apply(name, { model, traffic: trafficOf(name), scaling: { maxReplicas: 9 } });
      await installation.healthy(name);
      expect((await installation.get(kind, name)).metadata.labels).toMatchObject({
        [labels.modelDeployment]: name,
      });
    },
  );

  test("a ModelDeployment that is named like another one's revision gets none of its objects", async () => {
    await installation.apply('first', { model, traffic: trafficOf('first') });
    const { stable = '' } = await installation.healthy('first');
    const before = await installation.get('Service', stable);
    await installation.apply(stable, { model });
    expect(await taken(stable)).toContain(`Service ${stable} exists already`);
    expect(await installation.get('Service', stable)).toEqual(before);
    await installation.remove('ModelDeployment', stable);
  });

  test('what is ours and has lost its labels by a hand edit gets them back', async () => {
    await installation.apply('edited', { model, traffic: trafficOf('edited') });
    await installation.healthy('edited');
    const gone = { [labels.modelDeployment]: null };
    await installation.patch('Service', 'edited', { metadata: { labels: gone } });
    await waitFor('the label is back', async () => {
      const { metadata } = await installation.get('Service', 'edited');
      return metadata.labels?.[labels.modelDeployment] === 'edited';
    });
    await installation.healthy('edited');
  });

  test('every child is owned by an apply alone, so that a field that is taken out goes', async () => {
    await installation.apply('edited', { model, traffic: trafficOf('edited') });
    await installation.healthy('edited');
    for (const kind of ['Service', 'Deployment', 'HorizontalPodAutoscaler', 'VirtualService'] as const) {
      const managers = (await installation.list(kind, 'edited')).flatMap(managersOf);
      expect(managers.filter((manager) => manager.startsWith('headgate'))).toEqual(
        managers.filter((manager) => manager === 'headgate Apply'),
      );
      expect(managers).toContain('headgate Apply');
    }
    await installation.apply('edited', { model, traffic: { ...trafficOf('edited'), exportTo: ['.'] } });
    await installation.healthy('edited');
    await installation.apply('edited', { model, traffic: trafficOf('edited') });
    await installation.healthy('edited');
    const mesh = await installation.get('VirtualService', meshVirtualServiceName('edited'));
    expect((mesh as KubernetesObject & { readonly spec: object }).spec).not.toHaveProperty('exportTo');
  });

  test('a namespace that is being deleted is told of once, and nothing is tried in it again', async () => {
    const namespace = 'ending';
    await installation.server.kubectl('create', 'namespace', namespace);
    for (const name of ['one', 'two']) await installation.apply(name, { model }, namespace);
    const hasStatus = async (name: string): Promise<boolean> =>
      'status' in (await installation.get('ModelDeployment', name, namespace));
    await waitFor('both have had a pass', async () => (await hasStatus('one')) && (await hasStatus('two')));
    // No controller removes what is in it here: it stays as it is at the beginning of its end.
    await installation.server.kubectl('delete', 'namespace', namespace, '--wait=false');
    for (const name of ['one', 'two']) {
      await installation.apply(name, { model: { uri: `${model.uri}?2` } }, namespace);
    }
    await waitFor('it is told of', () => operator.lines(ENDING).length > 0);
    await waitFor('it is quiet', async () => (await installation.writesWithin(2_000)).length === 0);
    const tries = await installation.writesSince(Date.now() - 60_000);
    expect(tries.filter((line) => line.includes(`${namespace}/`)).length).toBeLessThan(30);
    expect(operator.lines(ENDING)).toHaveLength(1);
    expect(operator.log.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

const ENDING = 'a namespace is being deleted; its models go with it';

function managersOf({ metadata }: KubernetesObject): readonly string[] {
  const { managedFields = [] } = metadata as {
    readonly managedFields?: readonly { readonly manager: string; readonly operation: string }[];
  };
  return managedFields.map(({ manager, operation }) => `${manager} ${operation}`);
}
