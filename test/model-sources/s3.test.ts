import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fetchModel, type ModelSource } from '../../runtime/model-source/model-source.ts';
import { failureOf, modelSource } from '../runtime/model-source/source.ts';
import { exampleModelPath } from '../support/example-models.ts';
import { RuntimeProcess } from '../support/runtime-process.ts';
import { S3Server, type AccessKey } from './support/s3-server.ts';

const content = randomBytes(5_000_000);
const digest = createHash('sha256').update(content).digest('hex');
const ODD_KEY = "folder (1)/über+models/it's=100%25.onnx";

let server: S3Server;
let key: AccessKey;
let role = '';
let folder = '';

beforeAll(async () => {
  server = await S3Server.start();
  for (const bucket of ['models', 'private']) await server.createBucket(bucket);
  await server.put('models/fraud/model.onnx', content);
  await server.put(`models/${ODD_KEY.split('/').map(encodeURIComponent).join('/')}`, content);
  await server.put('models/v1.onnx', new Uint8Array(readFileSync(exampleModelPath('v1.onnx'))));
  const header = { name: 'fraud/model.onnx', size: content.length, type: 'file' } as const;
  await server.put(
    'models/fraud.tar.gz',
    new Uint8Array(gzipSync(await packTar([{ header, body: content }]))),
  );
  await server.put('private/model.onnx', content);
  key = await server.createReader();
  role = await server.createRole();
  await server.beStrict();
}, 120_000);
afterAll(() => server.stop());

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'headgate-s3-'));
  holdKey(key);
});
afterEach(() => rmSync(folder, { recursive: true }));

/** As the kubelet mounts a Secret. */
function holdKey({ id, secret }: AccessKey): void {
  writeFileSync(path.join(folder, 'AWS_ACCESS_KEY_ID'), `${id}\n`);
  writeFileSync(path.join(folder, 'AWS_SECRET_ACCESS_KEY'), `${secret}\n`);
}

function source(uri: string, given: Partial<ModelSource> = {}): ModelSource {
  return modelSource({
    uri,
    downloadDirectory: folder,
    credentials: 'Secret',
    credentialsDirectory: folder,
    s3: { endpoint: server.url, region: 'eu-central-1', pathStyle: undefined },
    ...given,
  });
}

describe('a model in S3', { timeout: 120_000 }, () => {
  it.each(['fraud/model.onnx', ODD_KEY])(
    'is fetched as %s with a signature that the server checks',
    async (name) => {
      const model = await fetchModel(source(`s3://models/${name}`));
      expect(readFileSync(model.path).equals(content)).toBe(true);
      expect(model.digest).toBe(digest);
    },
  );

  it('is taken out of an archive', async () => {
    expect((await fetchModel(source('s3://models/fraud.tar.gz'))).digest).toBe(digest);
  });

  it.each<{ what: string; uri: string; given?: Partial<ModelSource>; reason: string; words: string }>([
    {
      what: 'in a bucket of others',
      uri: 'private/model.onnx',
      reason: 'ModelDownloadFailed',
      words: '403 AccessDenied',
    },
    { what: 'that does not exist', uri: 'models/none.onnx', reason: 'ModelNotFound', words: '404 NoSuchKey' },
    {
      ...{ what: 'asked for by nobody', uri: 'models/fraud/model.onnx', given: { credentials: 'None' } },
      ...{ reason: 'ModelDownloadFailed', words: '403' },
    },
    {
      ...{ what: 'that is too large', uri: 'models/fraud/model.onnx', given: { maxBytes: 4_999_999 } },
      ...{ reason: 'ModelTooLarge', words: 'larger than' },
    },
    {
      ...{ what: 'packed and too large', uri: 'models/fraud.tar.gz', given: { maxBytes: 5_000_100 } },
      ...{ reason: 'ModelTooLarge', words: 'larger than' },
    },
  ])('$what is refused with $reason', async ({ uri, given, reason, words }) => {
    const failure = await failureOf(fetchModel(source(`s3://${uri}`, given)));
    expect(failure.reason).toBe(reason);
    expect(failure.message).toContain(words);
  });

  it('is refused with a wrong key, which no message repeats', async () => {
    holdKey({ ...key, secret: 'wrong-and-secret' });
    const failure = await failureOf(fetchModel(source('s3://models/fraud/model.onnx')));
    expect(failure.message).toContain('403 SignatureDoesNotMatch');
    expect(failure.message).not.toContain(key.id);
    expect(failure.message).not.toContain('wrong-and-secret');
  });

  it('is refused when the Secret lacks a key, by its name', async () => {
    rmSync(path.join(folder, 'AWS_SECRET_ACCESS_KEY'));
    const failure = await failureOf(fetchModel(source('s3://models/fraud/model.onnx')));
    expect(failure.reason).toBe('ConfigurationInvalid');
    expect(failure.message).toContain('no key AWS_SECRET_ACCESS_KEY');
  });
});

describe('a workload identity', { timeout: 120_000 }, () => {
  const identity = (): Partial<ModelSource> => ({
    credentials: 'WorkloadIdentity',
    aws: {
      roleArn: role,
      webIdentityTokenFile: path.join(folder, 'token'),
      tokenServiceUrl: `${server.url}/`,
      containerCredentialsUrl: undefined,
      containerTokenFile: undefined,
    },
  });

  it('takes on its role, and what the role may read is fetched', async () => {
    writeFileSync(path.join(folder, 'token'), 'header.payload.signature');
    await server.beStrict(1);
    const model = await fetchModel(source('s3://models/fraud/model.onnx', identity()));
    expect(model.digest).toBe(digest);
  });

  it('may read no more than its role', async () => {
    writeFileSync(path.join(folder, 'token'), 'header.payload.signature');
    await server.beStrict(1);
    const failure = await failureOf(fetchModel(source('s3://private/model.onnx', identity())));
    expect(failure.message).toContain('403 AccessDenied');
  });

  it('says so when the pod has no token', async () => {
    const failure = await failureOf(fetchModel(source('s3://models/fraud/model.onnx', identity())));
    expect(failure.reason).toBe('ConfigurationInvalid');
    expect(failure.message).toContain('ENOENT');
  });
});

describe('the runtime', { timeout: 120_000 }, () => {
  const environment = (): Record<string, string> => ({
    HEADGATE_MODEL_URI: 's3://models/v1.onnx',
    HEADGATE_MODEL_S3_ENDPOINT: server.url,
    HEADGATE_MODEL_CREDENTIALS: 'Secret',
    HEADGATE_MODEL_CREDENTIALS_DIRECTORY: folder,
  });

  it('serves a model from S3', async () => {
    const runtime = await RuntimeProcess.start(environment());
    expect((await runtime.ask('/v2/models/tumour')).status).toBe(200);
    await runtime.stop();
  });

  it('writes no credentials into its log and its last words', async () => {
    holdKey({ ...key, secret: 'wrong-and-secret' });
    const runtime = new RuntimeProcess({ ...environment(), HEADGATE_LOG_LEVEL: 'debug' });
    expect(await runtime.exitCode()).toBe(1);
    const said = JSON.stringify([runtime.log, runtime.lastWords]);
    expect(runtime.lastWords?.reason).toBe('ModelDownloadFailed');
    expect(said).not.toContain('wrong-and-secret');
    expect(said).not.toContain(key.id);
    expect(said).not.toContain('Signature=');
    await runtime.stop();
  });
});
