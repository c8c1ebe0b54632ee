import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelDeployment } from '../../operator/api/model-deployment.ts';
import { labels } from '../../operator/api/names.ts';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { connectionFromFile } from '../../operator/controller/connection.ts';
import { ApiError } from '../../operator/controller/errors.ts';
import { collectionPath } from '../../operator/controller/resource-type.ts';
import { createTransport, type Transport } from '../../operator/controller/transport.ts';
import { resourceType, type KnownKind } from '../../operator/kube/kinds.ts';
import { isSignOfLife, readWrites, serviceAccountUser } from '../bed/audit.ts';
import { waitFor } from '../bed/wait.ts';
import { everyObject, hostileSpecs } from '../support/hostile.ts';
import { restrictedViolations } from '../support/restricted-pod.ts';
import { Installation, NAMESPACE, SYSTEM_NAMESPACE } from './support/installation.ts';
import type { OperatorProcess } from './support/operator-process.ts';

const OBJECTS = 2_000;
const SEED = 20_261_125;
const RESTRICTED = 'restricted';
const AT_ONCE = 24;

interface Deployment extends KubernetesObject {
  readonly spec: {
    readonly template: {
      readonly metadata: KubernetesObject['metadata'];
      readonly spec: Parameters<typeof restrictedViolations>[0] & Readonly<Record<string, unknown>>;
    };
  };
}

/** Fields of a pod by which it could be more than the template of the spec says. */
const ALLOWED_POD_FIELDS: ReadonlySet<string> = new Set([
  ...[
    'affinity',
    'automountServiceAccountToken',
    'containers',
    'dnsPolicy',
    'enableServiceLinks',
    'imagePullSecrets',
  ],
  ...[
    'nodeSelector',
    'priorityClassName',
    'restartPolicy',
    'runtimeClassName',
    'schedulerName',
    'securityContext',
  ],
  ...[
    'serviceAccount',
    'serviceAccountName',
    'terminationGracePeriodSeconds',
    'tolerations',
    'topologySpreadConstraints',
    'volumes',
  ],
]);

/** In the model's own namespace and in another one: nobody's children, under names that hostile ones want. */
const bystanders = [NAMESPACE, 'risk'].flatMap((namespace) => [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'victim', namespace },
    spec: { ports: [{ port: 80 }] },
  },
  {
    ...{
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'victim', namespace },
    },
    spec: { hosts: ['victim.example.com'], gateways: ['istio-system/public'], http: [] },
  },
]);

describe('somebody who may create ModelDeployments and nothing else', { timeout: 400_000 }, () => {
  let installation: Installation;
  let operator: OperatorProcess;
  let mallory: Transport;
  let accepted = 0;
  let before: readonly unknown[];

  beforeAll(async () => {
    installation = await Installation.create({ istio: true });
    const { kubectl } = installation.server;
    await kubectl('create', 'namespace', 'risk');
    await kubectl('create', 'namespace', RESTRICTED);
    await kubectl('label', 'namespace', RESTRICTED, 'pod-security.kubernetes.io/enforce=restricted');
    await kubectl(
      'create',
      'role',
      'creator',
      '-n',
      NAMESPACE,
      '--verb=create',
      '--resource=modeldeployments.headgate.dev',
    );
    await kubectl('create', 'rolebinding', 'creator', '-n', NAMESPACE, '--role=creator', '--user=mallory');
    await kubectl.apply(bystanders);
    before = await bystandersNow();
    mallory = createTransport(connectionFromFile(await installation.server.kubeconfigForUser('mallory')));
    operator = await installation.startOperator({
      HEADGATE_TRAFFIC_POLICY: JSON.stringify([{ namespaces: ['risk'], gateways: ['*'], hosts: ['*'] }]),
    });
    accepted = await createAll();
  }, 300_000);

  afterAll(async () => {
    await installation.stop();
  });

  async function bystandersNow(): Promise<readonly unknown[]> {
    return await Promise.all(
      bystanders.map(({ kind, metadata }) =>
        installation.get(kind as KnownKind, metadata.name, metadata.namespace),
      ),
    );
  }

  async function createAll(): Promise<number> {
    const path = collectionPath(resourceType('ModelDeployment'), NAMESPACE);
    const chance = fc.sample(hostileSpecs, { numRuns: OBJECTS - everyObject.length, seed: SEED });
    const specs = [...everyObject, ...chance];
    const outcomes = await eachOf(specs, async (spec, index) => {
      const name = index === 0 ? 'victim' : `m-${index}`;
      const body = { apiVersion: 'headgate.dev/v1alpha1', kind: 'ModelDeployment', metadata: { name }, spec };
      return await mallory.request({ method: 'POST', path, body }).then(
        () => true,
        (error: unknown) => {
          // Refused as what it is; anything else would be a fault of this test.
          if (error instanceof ApiError && [400, 422].includes(error.status)) return false;
          throw error;
        },
      );
    });
    return outcomes.filter((outcome) => outcome).length;
  }

  test(`has ${OBJECTS} objects looked at, and each of those that are admitted is answered for`, async () => {
    console.log(`${OBJECTS} hostile objects, ${accepted} admitted`);
    expect(accepted).toBeGreaterThan(OBJECTS / 10);
    await waitFor(
      'the operator has looked at all of them',
      async () => {
        const all = (await installation.list('ModelDeployment')) as readonly ModelDeployment[];
        const open = all
          .filter(({ status }) => status?.phase === undefined)
          .map(({ metadata }) => metadata.name);
        if (open.length > 0) throw new Error(`${open.length} are without a status, such as ${open[0] ?? ''}`);
        return all.length === accepted;
      },
      { timeoutMs: 300_000, everyMs: 1_000 },
    );
    expect(operator.isRunning).toBe(true);
    expect(operator.noise).toEqual([]);
  });

  test('has the operator write into no other namespace, and over nothing that is there', async () => {
    const user = serviceAccountUser(SYSTEM_NAMESPACE, 'headgate');
    const everything = await readWrites(installation.server.auditLog, { user });
    const writes = everything.filter((write) => !isSignOfLife(write));
    console.log(`${writes.length} writes of the operator`);
    expect(writes.length).toBeGreaterThan(accepted);
    expect(writes.filter(({ namespace }) => namespace !== NAMESPACE)).toEqual([]);
    await expect(bystandersNow()).resolves.toEqual(before);
  });

  test('gets no pod above the restricted standard, by our rules and by those of the API server', async () => {
    const deployments = (await installation.list('Deployment')) as readonly Deployment[];
    expect(deployments.length).toBeGreaterThan(accepted / 3);
    expect(deployments.flatMap(({ spec }) => restrictedViolations(spec.template.spec))).toEqual([]);
    const path = collectionPath(resourceType('Pod'), RESTRICTED);
    const verdicts = await eachOf(deployments, async ({ metadata: { name }, spec: { template } }) => {
      const body = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { ...template.metadata, name },
        spec: template.spec,
      };
      const request = { method: 'POST', path, body, query: { dryRun: 'All' } } as const;
      return await installation.transport.request(request).then(() => 'admitted', messageOf);
    });
    console.log(
      `${deployments.length} pod templates, ${verdicts.filter((verdict) => verdict === 'admitted').length} admitted as pods`,
    );
    expect(verdicts.filter((verdict) => /PodSecurity/.test(verdict))).toEqual([]);
    expect(verdicts).toContain('admitted');
  });

  test('gets pods with nothing in them but what the template may say, and no token by itself', async () => {
    const deployments = (await installation.list('Deployment')) as readonly Deployment[];
    const templates = deployments.map(({ spec }) => spec.template.spec);
    const fields = new Set(templates.flatMap((template) => Object.keys(template)));
    expect([...fields].filter((field) => !ALLOWED_POD_FIELDS.has(field))).toEqual([]);
    expect(templates.filter((template) => template['automountServiceAccountToken'] !== false)).toEqual([]);
    expect(
      templates.filter(
        ({ containers, initContainers = [] }) => containers.length + initContainers.length !== 1,
      ),
    ).toEqual([]);
  });

  test('gets no Service that selects the pods of others, and no route at any gateway', async () => {
    const services = (await installation.list('Service')).filter(
      ({ metadata }) => metadata.name !== 'victim',
    );
    const strange = services.filter((service) => {
      const { selector } = (service as KubernetesObject & { readonly spec: { readonly selector?: object } })
        .spec;
      const own = service.metadata.labels?.[labels.modelDeployment];
      return (
        own === undefined || (selector as Readonly<Record<string, string>>)[labels.modelDeployment] !== own
      );
    });
    expect(strange).toEqual([]);
    const routes = (await installation.list('VirtualService')).filter(
      ({ metadata }) => metadata.name !== 'victim',
    );
    expect(routes.filter(({ metadata }) => !metadata.name.endsWith('.mesh'))).toEqual([]);
  });

  test('keeps nobody else waiting', async () => {
    await installation.apply('plain', { model: { uri: 'https://models.example.com/plain/model.onnx' } });
    await installation.waitForStatus('plain', 'looked at', ({ phase }) => phase === 'Pending', 60_000);
  });
});

/** One after the other, so many at a time. */
async function eachOf<Item, Result>(
  items: readonly Item[],
  act: (item: Item, index: number) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const entries = items.entries();
  const work = async (): Promise<void> => {
    for (const [index, item] of entries) results[index] = await act(item, index);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
