import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fetchModel, type ModelSource } from '../../runtime/model-source/model-source.ts';
import { freePort } from '../bed/free-port.ts';
import { part } from '../bed/programs.ts';
import { failureOf, modelSource } from '../runtime/model-source/source.ts';
import { ServerProcess } from './support/server-process.ts';

const content = new Uint8Array(randomBytes(2_000_000));
const digest = createHash('sha256').update(content).digest('hex');
const account = 'models@project.iam.gserviceaccount.com';
const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });

let emulator: ServerProcess;
let endpoint = '';
let folder = '';

beforeAll(async () => {
  const port = await freePort();
  endpoint = `http://127.0.0.1:${port}`;
  emulator = new ServerProcess(part('gcp-storage-emulator'), [
    ...['start', '--host=127.0.0.1', `--port=${port}`, '--in-memory', '--default-bucket=models'],
  ]);
  await emulator.untilItAnswers(`${endpoint}/storage/v1/b/models`);
  const name = encodeURIComponent('fraud 3/model+v1.onnx');
  const stored = await fetch(`${endpoint}/upload/storage/v1/b/models/o?uploadType=media&name=${name}`, {
    ...{ method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: content },
  });
  expect(stored.status).toBe(200);
}, 120_000);
afterAll(() => emulator.stop());
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'headgate-gs-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function source(uri: string, given: Partial<ModelSource> = {}): ModelSource {
  return modelSource({
    ...{ uri, downloadDirectory: folder, credentialsDirectory: folder },
    gs: { endpoint, metadataHost: undefined },
    ...given,
  });
}

describe('a model in Google Cloud Storage', { timeout: 60_000 }, () => {
  it('is fetched by its name, whatever is in it', async () => {
    const model = await fetchModel(source('gs://models/fraud 3/model+v1.onnx'));
    expect(Buffer.from(content).equals(readFileSync(model.path))).toBe(true);
  });

  it('does not exist under another name', async () => {
    const failure = await failureOf(fetchModel(source('gs://models/none.onnx')));
    expect(failure.reason).toBe('ModelNotFound');
  });
});

/** Google's services for tokens, and a bucket that takes these tokens alone. The emulator takes everybody. */
class Google {
  readonly asked: IncomingMessage[] = [];
  readonly #server: Server = createServer((request, response) => {
    this.asked.push(request);
    void this.#answer(request).then(
      (body) => response.end(body),
      (error: unknown) => response.writeHead(401).end(String(error)),
    );
  });

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
  }

  async #answer(request: IncomingMessage): Promise<string | Uint8Array> {
    const { headers, url = '' } = request;
    const token = JSON.stringify({ access_token: 'short-lived-and-secret', expires_in: 3600 });
    if (url === '/token') {
      const assertion = new URLSearchParams(await text(request)).get('assertion') ?? '';
      const { payload } = await jwtVerify(assertion, keys.publicKey, {
        ...{
          issuer: account,
          audience: `http://${this.host}/token`,
          requiredClaims: ['exp', 'iat', 'scope'],
        },
      });
      expect(payload['scope']).toBe('https://www.googleapis.com/auth/devstorage.read_only');
      return token;
    }
    if (url === '/computeMetadata/v1/instance/service-accounts/default/token') {
      if (headers['metadata-flavor'] !== 'Google') throw new Error('no flavour');
      return token;
    }
    if (headers.authorization !== 'Bearer short-lived-and-secret') throw new Error('no token');
    return content;
  }
}

describe('who asks Google for a model', { timeout: 60_000 }, () => {
  let google: Google;
  beforeEach(async () => {
    google = new Google();
    await google.listen();
  });
  afterEach(() => google.close());

  function holdKey(change: Readonly<Record<string, unknown>> = {}): void {
    const key = {
      ...{ type: 'service_account', client_email: account, private_key_id: 'k1' },
      private_key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      token_uri: `http://${google.host}/token`,
      ...change,
    };
    writeFileSync(path.join(folder, 'key.json'), JSON.stringify(key));
  }

  const asked = (given: Partial<ModelSource>) =>
    fetchModel(
      source('gs://models/fraud.onnx', {
        gs: { endpoint: `http://${google.host}`, metadataHost: google.host },
        ...given,
      }),
    );

  it('is the service account whose key lies in the Secret', async () => {
    holdKey();
    expect((await asked({ credentials: 'Secret' })).digest).toBe(digest);
    expect(google.asked.map(({ url }) => url)).toEqual([
      '/token',
      '/storage/v1/b/models/o/fraud.onnx?alt=media',
    ]);
  });

  it("is the pod's own service account, by the metadata server", async () => {
    expect((await asked({ credentials: 'WorkloadIdentity' })).digest).toBe(digest);
  });

  it('is nobody where the spec names nobody', async () => {
    holdKey();
    const failure = await failureOf(asked({ credentials: 'None' }));
    expect(failure.message).toContain('the server answered 401');
    expect(google.asked).toHaveLength(1);
  });

  it.each([
    [
      'another key',
      () =>
        generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({
          type: 'pkcs8',
          format: 'pem',
        }),
      'refused',
    ],
    ['no key', () => 'secret nonsense', 'no key of a Google service account'],
  ])('is refused with %s, of which no message tells', async (_what, key, words) => {
    holdKey({ private_key: key() });
    const { message } = await failureOf(asked({ credentials: 'Secret' }));
    expect(message).toContain(words);
    expect(message).not.toMatch(/nonsense|PRIVATE|eyJ/u);
  });
});
