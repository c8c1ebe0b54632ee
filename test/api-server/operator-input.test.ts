import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { Installation, NAMESPACE } from './support/installation.ts';
import { GATEWAY, StandInGateway } from './support/stand-in-gateway.ts';
import { StandInNode } from './support/stand-in-node.ts';

/** A gateway proves a routing at once; without one it takes the 10 s of istiod's longest delay. */
function trafficOf(name: string): object {
  return { hosts: [`${name}.example.com`], gateways: [GATEWAY] };
}

const model = { uri: 'https://models.example.com/fraud/model.onnx' };

/** What admission cannot know. */
describe('what the operator says of input that cannot work', () => {
  let installation: Installation;
  let node: StandInNode;
  let gateway: StandInGateway;

  beforeAll(async () => {
    installation = await Installation.create({ istio: true });
    gateway = await StandInGateway.start(installation);
    node = new StandInNode(installation);
    await installation.startOperator();
  });

  afterAll(async () => {
    await node.stop();
    await gateway.stop();
    await installation.stop();
  });

  async function eventReasons(name: string): Promise<readonly string[]> {
    const events = (await installation.list('Event')) as readonly (KubernetesObject & {
      readonly reason: string;
    })[];
    return events.filter(({ metadata }) => metadata.name.startsWith(`${name}.`)).map(({ reason }) => reason);
  }

  async function waitForReason(name: string, reason: string): Promise<string> {
    const status = await installation.waitForStatus(name, reason, (now) => now.reason === reason);
    return status.message ?? '';
  }

  test('a Deployment that the API server refuses is told of in its words, once, and mended by an edit', async () => {
    const affinity = {
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } },
    };
    await installation.apply('refused', { model, podTemplate: { spec: { affinity } } });
    const message = await waitForReason('refused', 'WriteRefused');
    expect(message).toMatch(/^The API server refuses Deployment refused-.*at least one node selector term/);
    // The write itself is tried again, ever more seldom; nothing else is.
    const writes = await installation.writesWithin(3_000);
    expect(writes.filter((write) => !write.includes(' deployments '))).toEqual([]);
    await expect(eventReasons('refused')).resolves.toEqual(['WriteRefused']);
    await installation.apply('refused', { model, traffic: trafficOf('refused') });
    await installation.healthy('refused');
  });

  test('an exhausted quota is told of, and what works already goes on', async () => {
    await installation.apply('bounded', { model, traffic: trafficOf('bounded') });
    const { stable } = await installation.healthy('bounded');
    const hard = { 'count/deployments.apps': '0' };
    const quota = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'none', namespace: NAMESPACE },
    };
    await installation.server.kubectl.apply([{ ...quota, spec: { hard } }]);
    // The controller that counts does not run here.
    const counted = JSON.stringify({ status: { hard, used: { 'count/deployments.apps': '0' } } });
    const place = ['resourcequota', 'none', '--namespace', NAMESPACE];
    await installation.server.kubectl(
      'patch',
      ...place,
      '--subresource=status',
      '--type=merge',
      '-p',
      counted,
    );
    await installation.apply('bounded', { model: { uri: `${model.uri}?2` }, traffic: trafficOf('bounded') });
    await expect(waitForReason('bounded', 'WriteRefused')).resolves.toMatch(/exceeded quota: none/);
    const { status } = await installation.modelDeployment('bounded');
    expect(status?.stable).toBe(stable);
    expect(status?.conditions?.find(({ type }) => type === 'Available')?.status).toBe('True');
    await installation.server.kubectl('delete', ...place);
    await installation.apply('bounded', { model, traffic: trafficOf('bounded') });
    await installation.healthy('bounded');
  });

  test('a gateway that does not exist is named', async () => {
    const traffic = { hosts: ['lost.example.com'], gateways: ['istio-system/nowhere'] };
    await installation.apply('lost', { model, traffic });
    await installation.waitForStatus(
      'lost',
      'told of its gateway',
      ({ reason, message = '' }) =>
        reason === 'RoutingUnproven' &&
        /^Gateway istio-system\/nowhere cannot be asked.*there is no such Gateway object/.test(message),
    );
  });

  test('a model that the runtime cannot load is told of in the words of the runtime', async () => {
    const words = { reason: 'ModelNotFound', message: 'https://models.example.com/fraud/3 answered 404' };
    await installation.apply('fraud', { model, traffic: trafficOf('fraud') });
    const { stable } = await installation.healthy('fraud');
    await installation.apply('fraud', { model: { uri: `${model.uri}?3` }, traffic: trafficOf('fraud') });
    const { candidate = '' } = await installation.waitForStatus(
      'fraud',
      'tried',
      (now) => now.candidate !== undefined,
    );
    node.setState(candidate, { crashed: { message: JSON.stringify(words) } });
    await expect(waitForReason('fraud', 'ModelNotFound')).resolves.toContain(words.message);
    const { status } = await installation.modelDeployment('fraud');
    expect(status).toMatchObject({ phase: 'Aborted', stable });
    await expect(eventReasons('fraud')).resolves.toContain('ModelNotFound');
  });

  test('one that is broken keeps nobody else from being served', async () => {
    await installation.apply('other', { model, traffic: trafficOf('other') });
    await installation.healthy('other');
  });
});
