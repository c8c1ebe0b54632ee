import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelDeploymentStatus } from '../../operator/api/model-deployment.ts';
import { addresses, repository } from '../bed/layout.ts';
import { enterWords } from '../bed/namespace.ts';
import { gatewayTargets } from '../bed/pods.ts';
import { S3Server, type AccessKey } from '../model-sources/support/s3-server.ts';
import { hostOf, modelDeployment } from './support/model-deployment.ts';
import { useNamespace } from './support/namespace.ts';
import { ask } from './support/requests.ts';
import { useStack } from './support/stack.ts';
import { waitForPhase, waitForStatus } from './support/status.ts';

const stack = useStack();
const namespace = useNamespace(stack, 's3');
const name = 'stored';
const stored = { namespace, name };

let server: S3Server;
let served: ModelDeploymentStatus;

beforeAll(async () => {
  server = await S3Server.start({ address: addresses.node, enter: enterWords(stack.bed.namespace) });
  for (const bucket of ['models', 'private']) await server.createBucket(bucket);
  const model = new Uint8Array(await readFile(join(repository, 'examples/models/v1.onnx')));
  for (const bucket of ['models', 'private']) await server.put(`${bucket}/v1.onnx`, model);
  const key = await server.createReader();
  await server.beStrict();
  await putKey(key);
  await apply('s3://models/v1.onnx');
  served = await waitForPhase(stack.bed, stored, 'Healthy');
});

afterAll(() => server.stop());

describe('a model in S3 that only its pods have the key of', () => {
  it('is fetched by them and answers', async () => {
    const body = await readFile(join(repository, 'examples/models/sample-request.json'), 'utf8');
    const path = `/v2/models/${name}/infer`;
    for (const target of await gatewayTargets(stack.bed)) {
      expect(await ask({ target, host: hostOf(name), path }, body)).toMatchObject({
        status: 200,
        revision: served.stable,
      });
    }
  });

  it('is left for none that the key may not read, and status says what the server said', async () => {
    await apply('s3://private/v1.onnx');
    const held = await waitForStatus(stack.bed, stored, {
      what: 'tells of the refusal',
      is: ({ message }) => message?.includes('403 AccessDenied') === true,
    });
    expect(held).toMatchObject({ stable: served.stable, weight: '0%' });
  });
});

async function apply(modelUri: string): Promise<void> {
  const model = {
    s3: { endpoint: server.url, region: 'eu-central-1' },
    credentials: { secretName: 'store' },
  };
  await stack.bed.kubectl.apply([modelDeployment({ ...stored, modelUri, model })]);
}

async function putKey({ id, secret }: AccessKey): Promise<void> {
  const stringData = { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret };
  await stack.bed.kubectl.apply([
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'store', namespace }, stringData },
  ]);
}
