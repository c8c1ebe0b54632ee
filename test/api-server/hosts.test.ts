import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Installation } from './support/installation.ts';
import type { OperatorProcess } from './support/operator-process.ts';
import { GATEWAY, StandInGateway } from './support/stand-in-gateway.ts';
import { StandInNode } from './support/stand-in-node.ts';

const model = { uri: 'https://models.example.com/fraud/model.onnx' };
const host = 'models.example.com';
const policy = (hosts: readonly string[]): Readonly<Record<string, string>> => ({
  HEADGATE_TRAFFIC_POLICY: JSON.stringify([{ namespaces: ['ml'], gateways: [GATEWAY], hosts }]),
});

describe('who serves a host', () => {
  let installation: Installation;
  let node: StandInNode;
  let gateway: StandInGateway;
  let operator: OperatorProcess;

  beforeAll(async () => {
    installation = await Installation.create({ istio: true });
    gateway = await StandInGateway.start(installation);
    node = new StandInNode(installation);
    operator = await installation.startOperator(policy(['*.example.com']));
  });

  afterAll(async () => {
    await node.stop();
    await gateway.stop();
    await installation.stop();
  });

  async function refused(name: string, reason: string): Promise<void> {
    const status = await installation.waitForStatus(name, reason, (now) => now.reason === reason);
    expect(status.conditions?.find(({ type }) => type === reason)?.status).toBe('True');
    expect(status.conditions?.find(({ type }) => type === 'Available')?.status).toBe('True');
    await expect(installation.find('VirtualService', name)).resolves.toBeUndefined();
  }

  test('is the first to want it; the second one takes over by itself when that one is gone', async () => {
    const traffic = { hosts: [host], pathPrefix: '/fraud', gateways: [GATEWAY] };
    await installation.apply('first', { model, traffic });
    await installation.healthy('first');
    await installation.apply('second', { model, traffic: { ...traffic, pathPrefix: '/fraud/eu' } });
    await refused('second', 'HostConflict');
    await installation.remove('ModelDeployment', 'first');
    // No garbage collector runs here.
    await installation.remove('VirtualService', 'first');
    await installation.healthy('second');
  });

  test('is nobody whom the platform does not allow, and no longer when it takes its word back', async () => {
    const traffic = { hosts: ['fraud.example.org'], gateways: [GATEWAY] };
    await installation.apply('elsewhere', { model, traffic });
    await refused('elsewhere', 'HostNotAllowed');
    await operator.terminate();
    operator = await installation.startOperator(policy(['*.example.org']));
    await installation.healthy('elsewhere');
    await refused('second', 'HostNotAllowed');
    await expect(installation.find('VirtualService', 'second.mesh')).resolves.toBeDefined();
  });
});
