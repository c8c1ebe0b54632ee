import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labels, MANAGEMENT_PORT, RUNTIME_PORT } from '../../operator/api/names.ts';
import { names, repository } from '../bed/layout.ts';
import { listPods, waitForReadyPods, type PodSummary } from '../bed/pods.ts';
import { waitFor } from '../bed/wait.ts';
import { modelDeployment } from './support/model-deployment.ts';
import { useNamespace } from './support/namespace.ts';
import { ask } from './support/requests.ts';
import { useStack } from './support/stack.ts';
import { waitForPhase } from './support/status.ts';

const stack = useStack();
const namespace = useNamespace(stack, 'mounts');
const name = 'kept';
const claimName = 'decisions';
const selector = `${labels.modelDeployment}=${name}`;
const token = randomBytes(32).toString('hex');

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(stack.bed.layout.folder, 'records-'));
  await stack.bed.kubectl.apply([...volumeIn(folder), secret('management', { token })]);
  await stack.bed.kubectl.apply([
    modelDeployment({
      ...{ namespace, name, modelUri: stack.modelUri('v1.onnx') },
      runtime: {
        records: { sink: 'File', file: { claimName, maxAge: '24h' } },
        management: { tokenSecretName: 'management' },
      },
    }),
  ]);
  await waitForPhase(stack.bed, { namespace, name }, 'Healthy');
});

afterAll(async () => {
  await stack.bed.kubectl('delete', 'modeldeployment', '-n', namespace, name, '--ignore-not-found');
  await waitFor('nobody writes to the volume', async () => (await pods()).length === 0);
  await stack.bed.kubectl('delete', 'persistentvolume', namespace, '--wait=false');
  await rm(folder, { recursive: true });
});

describe('what a kubelet mounts for a ModelDeployment', () => {
  it('is the claim, where decision records outlive their pod', async () => {
    const [first] = await pods();
    await decide(first, 'before');
    await recorded(first, 'before');
    await stack.bed.kubectl('delete', 'pod', '-n', namespace, first?.name ?? '');
    const [second] = await waitForReadyPods(stack.bed, { namespace, selector, count: 1 });
    await decide(second, 'after');
    await recorded(second, 'after');
    expect(await linesOf(first)).toEqual([expect.stringContaining('"requestId":"before"')]);
    expect((await readdir(join(folder, name))).toSorted()).toEqual(
      [first, second].map((pod) => pod?.name).toSorted(),
    );
  });

  it('is the token, without which the management port tells nothing of single requests', async () => {
    const [pod] = await pods();
    const target = `${pod?.address}:${MANAGEMENT_PORT}`;
    const statusOf = async (path: string, headers: Readonly<Record<string, string>>): Promise<number> =>
      (await ask({ target, host: name, path, headers })).status;
    expect(await statusOf('/headgate/outputs?after=0', {})).toBe(401);
    expect(await statusOf('/headgate/outputs?after=0', { authorization: 'Bearer another' })).toBe(401);
    expect(await statusOf('/headgate/outputs?after=0', { authorization: `Bearer ${token}` })).toBe(200);
    expect(await statusOf('/metrics', {})).toBe(200);
  });
});

async function pods(): Promise<PodSummary[]> {
  return await listPods(stack.bed, namespace, selector);
}

/** One inference, whose record is to be found by its id: gateways would give it another one. */
async function decide(pod: PodSummary | undefined, requestId: string): Promise<void> {
  const body = await readFile(join(repository, 'examples/models/sample-request.json'), 'utf8');
  const target = `${pod?.address}:${RUNTIME_PORT}`;
  const path = `/v2/models/${name}/infer`;
  const answer = await ask({ target, host: name, path, headers: { 'x-request-id': requestId } }, body);
  expect(answer.status).toBe(200);
}

async function linesOf(pod: PodSummary | undefined): Promise<string[]> {
  const file = join(folder, name, pod?.name ?? '', 'records.jsonl');
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line.includes('"status":200'));
}

async function recorded(pod: PodSummary | undefined, requestId: string): Promise<void> {
  await waitFor(`the record of '${requestId}' is on the volume`, async () =>
    (await linesOf(pod)).some((line) => line.includes(`"requestId":"${requestId}"`)),
  );
}

function secret(secretName: string, stringData: Readonly<Record<string, string>>): object {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: secretName, namespace }, stringData };
}

/** A folder of the node as a volume: whom it belongs to is settled by the kubelet, as with a disk. */
function volumeIn(path: string): object[] {
  const capacity = { storage: '1Gi' };
  const shape = { accessModes: ['ReadWriteOnce'], storageClassName: '' };
  const onTheNode = { key: 'kubernetes.io/hostname', operator: 'In', values: [names.node] };
  return [
    {
      ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: namespace } },
      spec: {
        ...{ capacity, ...shape, persistentVolumeReclaimPolicy: 'Retain', local: { path } },
        claimRef: { namespace, name: claimName },
        nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [onTheNode] }] } },
      },
    },
    {
      ...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: claimName, namespace } },
      spec: { ...shape, volumeName: namespace, resources: { requests: capacity } },
    },
  ];
}
