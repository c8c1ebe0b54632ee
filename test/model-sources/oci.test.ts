import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fetchModel, type ModelSource } from '../../runtime/model-source/model-source.ts';
import { failureOf, modelSource } from '../runtime/model-source/source.ts';
import { Registry } from './support/registry.ts';

const content = new Uint8Array(randomBytes(3_000_000));
const digest = createHash('sha256').update(content).digest('hex');
const model = { mediaType: 'application/vnd.onnx.model', bytes: content, title: 'fraud.onnx' };
const IMAGE_LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

let registry: Registry;
let folder = '';
beforeAll(async () => {
  registry = await Registry.start();
}, 120_000);
afterAll(() => registry.stop());
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'headgate-oci-'));
  registry.logins.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

function source(uri: string, given: Partial<ModelSource> = {}): ModelSource {
  return modelSource({ uri, downloadDirectory: folder, credentialsDirectory: folder, ...given });
}

async function layerOf(...entries: Parameters<typeof packTar>[0]): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(gzipSync(await packTar(entries)));
}

/** As 'kubectl create secret docker-registry' writes it. */
function holdLogin(login: string, host = `127.0.0.1:${registry.port}`): void {
  const auths = { [host]: { auth: Buffer.from(login).toString('base64') } };
  writeFileSync(path.join(folder, '.dockerconfigjson'), JSON.stringify({ auths }));
}

describe('a model in a registry', { timeout: 120_000 }, () => {
  it('is fetched as an artifact, with the token that the registry demands', async () => {
    const uri = await registry.push('open/fraud', [
      { mediaType: 'text/markdown', bytes: new TextEncoder().encode('about'), title: 'README.md' },
      model,
    ]);
    const fetched = await fetchModel(source(uri));
    expect(Buffer.from(content).equals(readFileSync(fetched.path))).toBe(true);
    expect(registry.logins).toEqual([undefined]);
  });

  it('is fetched out of the one layer of an image, whatever tag stands before the digest', async () => {
    const header = { name: 'models/fraud.onnx', size: content.length, type: 'file' } as const;
    const bytes = await layerOf({ header, body: content });
    const uri = await registry.push('open/image', [{ mediaType: IMAGE_LAYER, bytes }]);
    expect((await fetchModel(source(uri.replace('@', ':3@')))).digest).toBe(digest);
  });

  it('is fetched with a password that only the token server gets', async () => {
    const uri = await registry.push('closed/fraud', [model]);
    holdLogin(registry.login);
    expect((await fetchModel(source(uri, { credentials: 'Secret' }))).digest).toBe(digest);
    expect(registry.logins).toEqual([`Basic ${Buffer.from(registry.login).toString('base64')}`]);
  });

  it('is refused without the password that it takes', async () => {
    const uri = await registry.push('closed/other', [model]);
    const failure = await failureOf(fetchModel(source(uri)));
    expect(failure.reason).toBe('ModelDownloadFailed');
    expect(failure.message).toContain('the server answered 401');
  });

  it('is refused with a wrong password, which no message repeats', async () => {
    const uri = await registry.push('closed/third', [model]);
    holdLogin('reader:wrong-and-secret');
    const { message } = await failureOf(fetchModel(source(uri, { credentials: 'Secret' })));
    expect(message).toContain('credentials for the model were refused');
    expect(message).not.toContain('wrong-and-secret');
    expect(message).not.toContain(Buffer.from('reader:wrong-and-secret').toString('base64'));
  });

  it('is refused with a Secret for another registry', async () => {
    const uri = await registry.push('closed/fourth', [model]);
    holdLogin(registry.login, 'registry.example.com');
    expect(await failureOf(fetchModel(source(uri, { credentials: 'Secret' })))).toMatchObject({
      reason: 'ConfigurationInvalid',
    });
    expect(registry.logins).toEqual([]);
  });

  it('does not exist under another digest', async () => {
    const uri = await registry.push('open/fraud', [model]);
    const failure = await failureOf(fetchModel(source(uri.replace(/[0-9a-f]{64}$/u, '0'.repeat(64)))));
    expect(failure.reason).toBe('ModelNotFound');
  });

  it('is refused when it is larger than the limit', async () => {
    const uri = await registry.push('open/fraud', [model]);
    expect(await failureOf(fetchModel(source(uri, { maxBytes: 2_999_999 })))).toMatchObject({
      reason: 'ModelTooLarge',
    });
  });

  it.each<[string, () => Promise<Parameters<Registry['push']>[1]>, string]>([
    [
      'two models',
      () => Promise.resolve([model, { ...model, bytes: content.slice(1), title: 'b.onnx' }]),
      '2 ONNX files',
    ],
    [
      'two archives',
      async () => {
        const bytes = await layerOf({ header: { name: 'a.onnx', size: 1, type: 'file' }, body: 'x' });
        const other = await layerOf({ header: { name: 'b.onnx', size: 1, type: 'file' }, body: 'x' });
        return [bytes, other].map((layer) => ({ mediaType: IMAGE_LAYER, bytes: layer }));
      },
      '2 archives',
    ],
    [
      'a link in its archive',
      async () => [
        {
          mediaType: IMAGE_LAYER,
          bytes: await layerOf({
            header: { name: 'model.onnx', size: 0, type: 'symlink', linkname: '/etc/passwd' },
          }),
        },
      ],
      'is a symlink',
    ],
  ])('is refused with %s', async (_what, layers, words) => {
    const uri = await registry.push('open/odd', await layers());
    const failure = await failureOf(fetchModel(source(uri)));
    expect(failure.reason).toBe('ModelInvalid');
    expect(failure.message).toContain(words);
  });
});
