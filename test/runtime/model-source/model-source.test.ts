import { createHash, randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fetchModel, verifyUnchanged, type LocalModel } from '../../../runtime/model-source/model-source.ts';
import { FileServer } from './file-server.ts';
import { failureOf, modelSource } from './source.ts';

const content = randomBytes(3_000_000);
const digest = createHash('sha256').update(content).digest('hex');
let attempts = 0;

const server = new FileServer({
  '/model.onnx': (response) => response.end(content),
  '/chunked.onnx': (response) => {
    response.write(content.subarray(0, 1_000_000));
    response.end(content.subarray(1_000_000));
  },
  '/moved.onnx': (response) => response.writeHead(302, { location: '/moved-again.onnx' }).end(),
  '/moved-again.onnx': (response) => response.writeHead(307, { location: '/model.onnx' }).end(),
  '/forbidden.onnx': (response) => response.writeHead(403).end(),
  '/gone.onnx': (response) => response.writeHead(410).end(),
  '/recovers.onnx': (response) => {
    attempts++;
    if (attempts === 1) response.writeHead(503).end();
    else response.end(content);
  },
  '/breaks-once.onnx': (response) => {
    attempts++;
    if (attempts > 1) {
      response.end(content);
      return;
    }
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 500_000), () => response.destroy());
  },
  '/announces-too-much.onnx': (response) =>
    response.writeHead(200, { 'content-length': 50_000_000 }).end('x'),
});

let folder = '';

beforeAll(() => server.listen());
afterAll(() => server.close());
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'headgate-download-'));
  attempts = 0;
  server.requests.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

function fetchFrom(uri: string, options: { sha256?: string; maxBytes?: number } = {}): Promise<LocalModel> {
  return fetchModel(modelSource({ uri, downloadDirectory: folder, ...options }));
}

describe('a model on a web server', { timeout: 60_000 }, () => {
  it.each(['/model.onnx', '/chunked.onnx', '/moved.onnx'])(
    'is fetched from %s byte by byte',
    async (address) => {
      const model = await fetchFrom(server.url(address), { sha256: digest });
      expect(model.digest).toBe(digest);
      expect(readFileSync(model.path).equals(content)).toBe(true);
    },
  );

  it.each(['/recovers.onnx', '/breaks-once.onnx'])(
    'is asked for again when %s fails in passing',
    async (address) => {
      const model = await fetchFrom(server.url(address), { sha256: digest });
      expect(readFileSync(model.path).equals(content)).toBe(true);
      expect(server.requests).toEqual([address, address]);
    },
  );

  it('is not used when its sha256 is another', async () => {
    const failure = await failureOf(fetchFrom(server.url('/model.onnx'), { sha256: '0'.repeat(64) }));
    expect(failure.reason).toBe('ModelDigestMismatch');
    expect(failure.message).toContain(digest);
  });

  it.each([
    ['/nowhere.onnx', 'ModelNotFound', 'does not exist (404)'],
    ['/gone.onnx', 'ModelNotFound', 'does not exist (410)'],
    ['/forbidden.onnx', 'ModelDownloadFailed', 'the server answered 403'],
    ['/announces-too-much.onnx', 'ModelTooLarge', 'larger than 10000000 bytes'],
  ])('is given up at once at %s with %s', async (address, reason, words) => {
    const failure = await failureOf(fetchFrom(server.url(address)));
    expect(failure.reason).toBe(reason);
    expect(failure.message).toContain(words);
    expect(server.requests).toEqual([address]);
  });

  it('is cut off at the limit even when the server does not announce its size', async () => {
    const failure = await failureOf(fetchFrom(server.url('/chunked.onnx'), { maxBytes: 1_500_000 }));
    expect(failure).toMatchObject({ reason: 'ModelTooLarge' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves no secret of its address in a message', async () => {
    const { message } = await failureOf(fetchFrom(server.url('/nowhere.onnx?X-Amz-Signature=secret')));
    expect(message).toContain('/nowhere.onnx does not exist');
    expect(message).not.toContain('secret');
  });

  it('is not asked for with a password in its address', async () => {
    const uri = server.url('/model.onnx').replace('//', '//user:secret@');
    const { reason, message } = await failureOf(fetchFrom(uri));
    expect(reason).toBe('ModelUriUnsupported');
    expect(message).toContain(server.url('/model.onnx'));
    expect(message).not.toContain('secret');
  });

  it('cannot be stored where nothing can be written, and says so', async () => {
    const downloadDirectory = path.join(folder, 'missing');
    const fetched = fetchModel(modelSource({ uri: server.url('/model.onnx'), downloadDirectory }));
    const failure = await failureOf(fetched);
    expect(failure.reason).toBe('ModelDownloadFailed');
    expect(failure.message).toMatch(/missing.* cannot be written/);
  });
});

describe('a model in a file', { timeout: 60_000 }, () => {
  it('is used where it lies', async () => {
    const file = path.join(folder, 'model with spaces.onnx');
    writeFileSync(file, content);
    const model = await fetchFrom(pathToFileURL(file).href, { sha256: digest });
    expect(model).toEqual({ path: file, digest });
  });

  it('must exist and be a file', async () => {
    const missing = await failureOf(fetchFrom(pathToFileURL(path.join(folder, 'none.onnx')).href));
    expect(missing).toMatchObject({ reason: 'ModelNotFound' });
    const directory = await failureOf(fetchFrom(pathToFileURL(folder).href));
    expect(directory.message).toContain('it is not a file');
  });

  it('is looked for in a folder when its address ends with a slash', async () => {
    const address = `${pathToFileURL(folder).href}/`;
    expect(await failureOf(fetchFrom(address))).toMatchObject({ reason: 'ModelNotFound' });
    mkdirSync(path.join(folder, 'models'));
    writeFileSync(path.join(folder, 'models', 'README.md'), 'about');
    writeFileSync(path.join(folder, 'models', 'fraud.onnx'), content);
    symlinkSync('/etc/hostname', path.join(folder, 'models', 'linked.onnx'));
    expect(await fetchFrom(address)).toEqual({ path: path.join(folder, 'models', 'fraud.onnx'), digest });
    writeFileSync(path.join(folder, 'other.onnx'), content);
    expect(await failureOf(fetchFrom(address))).toMatchObject({ reason: 'ModelInvalid' });
  });

  it('must still be the same when the executor is restarted', async () => {
    const file = path.join(folder, 'model.onnx');
    writeFileSync(file, content);
    const model = await fetchFrom(pathToFileURL(file).href);
    await expect(verifyUnchanged(model)).resolves.toBeUndefined();
    writeFileSync(file, content.subarray(1));
    await expect(verifyUnchanged(model)).rejects.toMatchObject({ reason: 'ModelDigestMismatch' });
    rmSync(file);
    await expect(verifyUnchanged(model)).rejects.toMatchObject({ reason: 'ModelNotFound' });
  });
});

describe('the address of a model', { timeout: 60_000 }, () => {
  it.each([
    'ftp://host/model.onnx',
    's3://bucket',
    's3://bucket/',
    's3://bucket/../other/model.onnx',
    's3://user@bucket/model.onnx',
    'gs://bucket/folder/',
    'oci://registry.example.com/fraud:3',
    'oci://registry.example.com/fraud@sha256:abc',
    'oci://user:secret@registry.example.com/fraud@sha256:abc',
    'http://',
    'constructor://x',
    'fraud.onnx',
    '/mnt/model.onnx',
    'file://host/model.onnx',
    'pvc://claim/x',
    '',
  ])('is refused when it is %j', async (uri) => {
    expect(await failureOf(fetchFrom(uri))).toMatchObject({ reason: 'ModelUriUnsupported' });
  });
});
