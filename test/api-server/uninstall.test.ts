import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { meshVirtualServiceName } from '../../operator/api/names.ts';
import type { BoundProgram } from '../bed/child.ts';
import { waitFor } from '../bed/wait.ts';
import { chart, helm } from '../charts/render.ts';
import { startRemovers } from './support/controllers.ts';
import { DECISION_POLICY, Installation, NAMESPACE, SYSTEM_NAMESPACE } from './support/installation.ts';
import type { OperatorProcess } from './support/operator-process.ts';
import { StandInNode } from './support/stand-in-node.ts';

type Step = 'the release' | 'the definitions' | 'the namespace';

/** The whole stack goes through the other three. */
const orders: readonly (readonly [Step, Step, Step])[] = [
  ['the release', 'the namespace', 'the definitions'],
  ['the definitions', 'the namespace', 'the release'],
  ['the namespace', 'the release', 'the definitions'],
];

const ours = ['modeldeployments.headgate.dev', 'rolloutdecisions.headgate.dev'];
const children = [
  ...['controllerrevisions', 'deployments', 'services', 'horizontalpodautoscalers', 'poddisruptionbudgets'],
  ...['virtualservices.networking.istio.io', 'destinationrules.networking.istio.io'],
];
const clusterWide = [
  ...['crd', 'clusterroles', 'clusterrolebindings'],
  ...['validatingadmissionpolicies', 'validatingadmissionpolicybindings'],
];

describe('on an API server whose controllers remove what has no owner', () => {
  let installation: Installation;
  let removers: BoundProgram;
  let operator: OperatorProcess;

  const release = (...args: readonly string[]): Promise<string> =>
    helm(...args, '--kubeconfig', installation.server.kubeconfig, '--namespace', SYSTEM_NAMESPACE);
  const kubectl = (...args: string[]): Promise<string> => installation.server.kubectl(...args);
  const named = async (kinds: readonly string[], ...more: readonly string[]): Promise<readonly string[]> =>
    (await kubectl('get', kinds.join(), '-o', 'name', ...more)).split('\n').filter((name) => name !== '');

  const remove: Readonly<Record<Step, () => Promise<unknown>>> = {
    'the release': async () => {
      await operator.terminate();
      await release('uninstall', 'headgate');
    },
    'the definitions': () => kubectl('delete', 'crd', ...ours, '--timeout=40s'),
    'the namespace': () => kubectl('delete', 'namespace', NAMESPACE, '--timeout=40s'),
  };

  /** Each order leaves nothing to the next. */
  async function install(): Promise<void> {
    const { server } = installation;
    await release('upgrade', '--install', 'headgate', chart);
    await server.kubectl.established(...ours.map((name) => `crd/${name}`));
    await server.kubectl.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }]);
    const kubeconfig = await server.kubeconfigForServiceAccount(SYSTEM_NAMESPACE, 'headgate');
    const replica = new Installation(server, kubeconfig, { HEADGATE_DECISION_POLICY: DECISION_POLICY });
    operator = await replica.startOperator();
  }

  /** A model that has one object at least of every kind that Headgate makes, and a decision about it. */
  async function serve(): Promise<void> {
    const node = new StandInNode(installation);
    await installation.apply('fraud', { model: { uri: 'https://models.example.com/fraud/1/model.onnx' } });
    const route = meshVirtualServiceName('fraud');
    await waitFor('its route is there', () => installation.get('VirtualService', route), {
      timeoutMs: 30_000,
    });
    await node.stop();
    const spec = { modelDeployment: 'fraud', rollout: 'another', action: 'Abort', decidedBy: 'bed-admin' };
    const metadata = { name: 'any', namespace: NAMESPACE };
    await installation.server.kubectl.apply([
      { apiVersion: 'headgate.dev/v1alpha1', kind: 'RolloutDecision', metadata, spec },
    ]);
    for (const kind of children) expect(await named([kind], '--namespace', NAMESPACE)).not.toEqual([]);
  }

  async function leftovers(): Promise<readonly string[]> {
    const released = ['deployments,services,serviceaccounts,configmaps,networkpolicies,roles,rolebindings'];
    const instance = ['--namespace', SYSTEM_NAMESPACE, '-l', 'app.kubernetes.io/instance=headgate'];
    const all = [...(await named([...clusterWide, 'namespaces'])), ...(await named(released, ...instance))];
    const system = `namespace/${SYSTEM_NAMESPACE}`;
    return all.filter(
      (name) => name !== system && (name.includes('headgate') || name.endsWith(`/${NAMESPACE}`)),
    );
  }

  beforeAll(async () => {
    installation = await Installation.create({ istio: true });
    removers = startRemovers(installation.server);
  });

  afterAll(async () => {
    await operator.kill();
    await removers.stop();
    await installation.stop();
  });

  test.each(orders)('%s, then %s, then %s can be removed, and nothing is left', async (...order) => {
    await install();
    await serve();
    for (const step of order) await remove[step]();
    removers.assertRunning();
    await waitFor('nothing is left', async () => {
      const left = await leftovers();
      if (left.length > 0) throw new Error(left.join(', '));
      return true;
    });
  });
});
