import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { startApiServer, type RunningApiServer } from '../bed/api-server.ts';
import { createKubectl } from '../bed/kubectl.ts';
import type { Deployment } from '../charts/kinds.ts';
import { chart, helm, only, template } from '../charts/render.ts';

const NAMESPACE = 'headgate-system';
const smallest = {
  apiVersion: 'headgate.dev/v1alpha1',
  kind: 'ModelDeployment',
  metadata: { name: 'fraud', namespace: 'default' },
  spec: { model: { uri: 'https://models.example.com/fraud/model.onnx' } },
};

/** The chart on a real API server; no controllers run, so pods are tried rather than made. */
describe('the chart on a real API server', () => {
  let server: RunningApiServer;

  const release = (...args: string[]): Promise<string> =>
    helm(...args, '--kubeconfig', server.kubeconfig, '--namespace', NAMESPACE);

  /** Asks the API server's own authorizer, in all namespaces; `resource` is resource.group/subresource. */
  async function isAllowed(verb: string, resource: string): Promise<boolean> {
    const [qualified = '', subresource = ''] = resource.split('/');
    const [name = '', ...group] = qualified.split('.');
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: `system:serviceaccount:${NAMESPACE}:headgate`,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${NAMESPACE}`, 'system:authenticated'],
        resourceAttributes: { verb, resource: name, group: group.join('.'), subresource },
      },
    };
    const file = join(server.folder, 'review.json');
    await writeFile(file, JSON.stringify(review));
    const answer = await server.kubectl.json('create', '-f', file);
    return (answer as { readonly status: { readonly allowed: boolean } }).status.allowed;
  }

  beforeAll(async () => {
    server = await startApiServer();
    await server.kubectl('create', 'namespace', NAMESPACE);
    await server.kubectl('label', 'namespace', NAMESPACE, 'pod-security.kubernetes.io/enforce=restricted');
    await release('install', 'headgate', chart);
  });

  afterAll(async () => {
    await server.stop();
  });

  test('installs what it renders', async () => {
    const deployment = await server.kubectl('-n', NAMESPACE, 'get', 'deployment', 'headgate', '-o', 'name');
    expect(deployment.trim()).toBe('deployment.apps/headgate');
    await server.kubectl.established('crd/modeldeployments.headgate.dev');
    await server.kubectl.apply([smallest]);
    await expect(server.kubectl('get', 'mdep', 'fraud', '-o', 'name')).resolves.toContain('fraud');
  });

  test('makes pods that a namespace with the restricted standard lets in', async () => {
    const objects = await template();
    const { spec } = only<Deployment>(objects, 'Deployment').spec.template;
    const pods = [
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'operator', namespace: NAMESPACE }, spec },
      only<KubernetesObject>(objects, 'Pod'),
    ];
    for (const pod of pods) {
      const file = join(server.folder, `${pod.metadata.name}.json`);
      await writeFile(file, JSON.stringify(pod));
      await expect(server.kubectl('create', '--dry-run=server', '-f', file)).resolves.toContain('created');
    }
  });

  test.each([
    ['list', 'modeldeployments.headgate.dev'],
    ['patch', 'modeldeployments.headgate.dev/status'],
    ['create', 'deployments.apps'],
    ['delete', 'services'],
    ['get', 'gateways.networking.istio.io'],
    ['create', 'events'],
  ])('lets the operator %s %s', async (verb, resource) => {
    await expect(isAllowed(verb, resource)).resolves.toBe(true);
  });

  test.each([
    ['get', 'secrets'],
    ['patch', 'modeldeployments.headgate.dev'],
    ['delete', 'modeldeployments.headgate.dev'],
    ['create', 'pods'],
    ['create', 'pods/exec'],
    ['create', 'clusterrolebindings.rbac.authorization.k8s.io'],
    ['get', 'nodes'],
    ['impersonate', 'users'],
  ])('does not let the operator %s %s', async (verb, resource) => {
    await expect(isAllowed(verb, resource)).resolves.toBe(false);
  });

  test('lets who may edit a namespace edit its models, and who may view it only view them', async () => {
    // The controller that fills aggregated roles does not run here: the roles are bound as they are.
    const name = 'headgate-system-headgate';
    for (const [user, role] of [
      ['anna', `${name}-edit`],
      ['vera', `${name}-view`],
    ] as const) {
      await server.kubectl('create', 'rolebinding', user, `--clusterrole=${role}`, `--user=${user}`);
    }
    const vera = createKubectl(await server.kubeconfigForUser('vera'), join(server.folder, 'kubectl-cache'));
    const anna = createKubectl(await server.kubeconfigForUser('anna'), join(server.folder, 'kubectl-cache'));
    await expect(vera('get', 'mdep', 'fraud')).resolves.toContain('fraud');
    await expect(vera('label', 'mdep', 'fraud', 'team=ml')).rejects.toThrow(/forbidden/i);
    await expect(anna('delete', 'mdep', 'fraud', '--dry-run=server')).resolves.toContain('deleted');
  });

  test('upgrades in place, its CustomResourceDefinition too', async () => {
    await release('upgrade', 'headgate', chart, '--set', 'log.level=debug');
    const deployment = await server.kubectl('-n', NAMESPACE, 'get', 'deployment', 'headgate', '-o', 'yaml');
    expect(deployment).toContain('value: debug');
    await expect(server.kubectl('get', 'mdep', 'fraud', '-o', 'name')).resolves.toContain('fraud');
  });

  test('leaves the models where they are when it is uninstalled, and finds them when it is installed again', async () => {
    await release('uninstall', 'headgate');
    await expect(server.kubectl('get', 'clusterroles', '-o', 'name')).resolves.not.toContain('headgate');
    await expect(server.kubectl('get', 'mdep', 'fraud', '-o', 'name')).resolves.toContain('fraud');
    await release('install', 'headgate', chart);
    await expect(server.kubectl('get', 'mdep', 'fraud', '-o', 'name')).resolves.toContain('fraud');
  });
});
