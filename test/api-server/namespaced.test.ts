import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApiServer, type RunningApiServer } from '../bed/api-server.ts';
import { readAudit, serviceAccountUser } from '../bed/audit.ts';
import { part } from '../bed/programs.ts';
import { chart, helm, KUBERNETES_VERSION, repository } from '../charts/render.ts';
import { fencedBlocks } from '../docs/markdown.ts';
import { Installation, NAMESPACE, SYSTEM_NAMESPACE } from './support/installation.ts';
import { GATEWAY, StandInGateway } from './support/stand-in-gateway.ts';
import { StandInNode } from './support/stand-in-node.ts';

/** The values of every helm command on the page that tells people how to do this. */
const page = await readFile(join(repository, 'docs/installing.md'), 'utf8');
const [clusterHalf = [], ownHalf = [], gatewayRoles = []] = fencedBlocks(page, 'console')
  .map((block) => [...block.matchAll(/--set (\S+)/g)])
  .map((settings) => settings.flatMap(([, setting = '']) => ['--set', setting]));

const restricted = 'pod-security.kubernetes.io/enforce=restricted';
const uri = 'https://models.example.com/fraud/1/model.onnx';

/** An administrator installs the cluster's half once; Tess, who has the role admin in one namespace, the operator's. */
describe('Headgate in one namespace of a real API server', () => {
  let server: RunningApiServer;
  let tess: string;
  let installation: Installation;
  let node: StandInNode;
  let gateway: StandInGateway;

  const install = (
    kubeconfig: string,
    namespace: string,
    name: string,
    ...values: string[]
  ): Promise<string> =>
    helm('install', name, chart, '--kubeconfig', kubeconfig, '--namespace', namespace, ...values);

  beforeAll(async () => {
    server = await startApiServer();
    for (const namespace of [SYSTEM_NAMESPACE, NAMESPACE, 'other']) {
      await server.kubectl('create', 'namespace', namespace);
      await server.kubectl('label', 'namespace', namespace, restricted);
    }
    await server.kubectl('create', '-f', part('istio-crds.yaml'));
    await install(server.kubeconfig, SYSTEM_NAMESPACE, 'headgate-cluster', ...clusterHalf);
    tess = await server.kubeconfigForUser('tess');
    // The controller that fills aggregated roles does not run here: what it would fill `admin` with is bound as it is.
    const builtIn = ['admin', 'edit', 'view'].map((role) => `system:aggregate-to-${role}`);
    const ours = ['install', 'edit', 'view'].map((role) => `${SYSTEM_NAMESPACE}-headgate-cluster-${role}`);
    for (const [index, role] of [...builtIn, ...ours].entries()) {
      const binding = ['create', 'rolebinding', `tess-${index}`, `--clusterrole=${role}`, '--user=tess'];
      await server.kubectl(...binding, '--namespace', NAMESPACE);
    }
    await install(tess, NAMESPACE, 'headgate', ...ownHalf);
    installation = new Installation(
      ...([server, await server.kubeconfigForServiceAccount(NAMESPACE, 'headgate')] as const),
      {
        ...{ HEADGATE_WATCH_NAMESPACE: NAMESPACE, HEADGATE_GATEWAY_NAMESPACES: 'istio-system' },
        HEADGATE_LEASE: `${NAMESPACE}/headgate`,
      },
    );
    gateway = await StandInGateway.start(installation);
    node = new StandInNode(installation);
    await installation.startOperator();
  });

  afterAll(async () => {
    await node.stop();
    await gateway.stop();
    await installation.stop();
  });

  test('cannot be installed cluster-wide by who administers one namespace', async () => {
    await expect(install(tess, NAMESPACE, 'greedy')).rejects.toThrow(/forbidden/);
    await expect(install(tess, 'other', 'headgate', ...ownHalf)).rejects.toThrow(/forbidden/);
  });

  test('gives the operator no right outside of it', async () => {
    const user = serviceAccountUser(NAMESPACE, 'headgate');
    const may = async (verb: string, resource: string, ...place: string[]): Promise<string> =>
      (await server.kubectl('auth', 'can-i', verb, resource, `--as=${user}`, ...place).catch(String)).trim();
    await expect(may('create', 'deployments.apps', '--namespace', NAMESPACE)).resolves.toBe('yes');
    await expect(may('create', 'deployments.apps', '--namespace', 'other')).resolves.toMatch(/no/);
    await expect(may('list', 'pods', '--all-namespaces')).resolves.toMatch(/no/);
    await expect(may('list', 'modeldeployments.headgate.dev', '--all-namespaces')).resolves.toMatch(/no/);
  });

  test('brings a model to Healthy, and leaves one in another namespace alone', async () => {
    await installation.apply('stranger', { model: { uri } }, 'other');
    await installation.apply('fraud', { model: { uri } });
    await installation.healthy('fraud');
    expect(await installation.get('ModelDeployment', 'stranger', 'other')).not.toHaveProperty('status');
  });

  test('says which gateway it cannot see, and what would help', async () => {
    const traffic = { hosts: ['churn.example.com'], gateways: ['edge/public'] };
    await installation.apply('churn', { model: { uri }, traffic });
    await installation.waitForStatus('churn', 'told of it', ({ message }) =>
      /looks for gateways in ml and istio-system alone; .* gatewayNamespaces/.test(message ?? ''),
    );
  });

  test('says which gateway it may not read, until the gateways’ owner grants what the chart prints', async () => {
    const traffic = { hosts: ['fraud.example.com'], gateways: [GATEWAY] };
    await installation.apply('fraud', { model: { uri }, traffic });
    await installation.waitForStatus('fraud', 'told of it', ({ message }) =>
      /cannot get resource "gateways".*gateway-roles\.yaml/.test(message ?? ''),
    );
    const file = join(server.folder, 'gateway-roles.yaml');
    const place = ['--namespace', NAMESPACE, '--kube-version', KUBERNETES_VERSION];
    const shown = ['--show-only', 'templates/gateway-roles.yaml'];
    await writeFile(file, await helm('template', 'headgate', chart, ...place, ...shown, ...gatewayRoles));
    await server.kubectl('apply', '-f', file);
    await installation.healthy('fraud');
  });

  test('makes no request that is not for one namespace', async () => {
    const requests = await readAudit(server.auditLog, { user: serviceAccountUser(NAMESPACE, 'headgate') });
    const resources = requests.filter(({ resource }) => resource !== '');
    expect(new Set(resources.map(({ namespace }) => namespace))).toEqual(
      new Set([NAMESPACE, 'istio-system']),
    );
  });
});
