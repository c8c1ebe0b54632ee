import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { importPKCS8, SignJWT } from 'jose';
import { Authority, type KeyPair } from '../../bed/certificates.ts';
import { freePort } from '../../bed/free-port.ts';
import { part } from '../../bed/programs.ts';
import { ServerProcess } from './server-process.ts';

const SERVICE = 'registry.test';
const ISSUER = 'token-server.test';
const LOGIN = 'reader:correct-and-secret';

interface Blob {
  readonly mediaType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly title?: string;
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/**
 * The reference registry over TLS, with a token server of the tests that signs what the registry checks: repositories
 * below `open/` may be read by anybody, others with the reader's password.
 */
export class Registry {
  readonly login = LOGIN;
  readonly port: number;
  /** The headers `authorization` that the token server got. */
  readonly logins: (string | undefined)[] = [];
  readonly #folder: string;
  readonly #pair: KeyPair;
  readonly #process: ServerProcess;
  readonly #tokens: Server;

  private constructor(folder: string, pair: KeyPair, port: number, tokens: Server) {
    this.#folder = folder;
    this.#pair = pair;
    this.port = port;
    this.#tokens = tokens;
    tokens.on('request', (request, response) => {
      this.logins.push(request.headers.authorization);
      const { searchParams } = new URL(request.url ?? '/', 'https://tokens');
      const repository = (searchParams.get('scope') ?? '').split(':')[1] ?? '';
      const given = request.headers.authorization;
      const isReader = given === `Basic ${Buffer.from(LOGIN).toString('base64')}`;
      if (given !== undefined && !isReader) response.writeHead(401).end(`not ${given}`);
      else {
        void this.#sign(repository, isReader || repository.startsWith('open/') ? ['pull'] : []).then(
          (token) => response.end(JSON.stringify({ token, expires_in: 300 })),
        );
      }
    });
    this.#process = new ServerProcess(part('registry'), ['serve', this.#configure()]);
  }

  static async start(): Promise<Registry> {
    const folder = mkdtempSync(path.join(tmpdir(), 'headgate-registry-'));
    const authority = await Authority.create(folder, 'authority');
    const pair = await authority.issue('registry', {
      commonName: 'registry',
      alternativeNames: ['IP:127.0.0.1', 'DNS:localhost'],
    });
    setDefaultCACertificates([...getCACertificates('default'), readFileSync(authority.certificate, 'utf8')]);
    const tokens = createServer({ cert: readFileSync(pair.certificate), key: readFileSync(pair.key) });
    tokens.listen(0, '127.0.0.1');
    await once(tokens, 'listening');
    const registry = new Registry(folder, pair, await freePort(), tokens);
    await registry.#process.untilItAnswers(`${registry.url}/v2/`);
    return registry;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** Pushes an artifact; the address of its manifest. */
  async push(repository: string, layers: readonly Blob[]): Promise<string> {
    const authorization = `Bearer ${await this.#sign(repository, ['pull', 'push'])}`;
    const config = { mediaType: 'application/vnd.oci.empty.v1+json', bytes: new TextEncoder().encode('{}') };
    for (const { bytes } of [config, ...layers]) await this.#upload(repository, bytes, authorization);
    const describe = ({ mediaType, bytes, title }: Blob): object => ({
      ...{ mediaType, digest: digestOf(bytes), size: bytes.length },
      ...(title !== undefined && { annotations: { 'org.opencontainers.image.title': title } }),
    });
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const manifest = new TextEncoder().encode(
      JSON.stringify({ schemaVersion: 2, mediaType, config: describe(config), layers: layers.map(describe) }),
    );
    const digest = digestOf(manifest);
    await this.#send(`${this.url}/v2/${repository}/manifests/${digest}`, {
      method: 'PUT',
      headers: { authorization, 'content-type': mediaType },
      body: manifest,
    });
    return `oci://127.0.0.1:${this.port}/${repository}@${digest}`;
  }

  async stop(): Promise<void> {
    this.#tokens.close();
    await this.#process.stop();
    rmSync(this.#folder, { recursive: true });
  }

  async #upload(repository: string, bytes: Uint8Array<ArrayBuffer>, authorization: string): Promise<void> {
    const begun = await this.#send(`${this.url}/v2/${repository}/blobs/uploads/`, {
      method: 'POST',
      headers: { authorization },
    });
    const place = new URL(begun.headers.get('location') ?? '', this.url);
    place.searchParams.set('digest', digestOf(bytes));
    const headers = { authorization, 'content-type': 'application/octet-stream' };
    await this.#send(place.href, { method: 'PUT', headers, body: bytes });
  }

  async #send(url: string, init: RequestInit): Promise<Response> {
    const answer = await fetch(url, init);
    if (!answer.ok) throw new Error(`${url} was answered with ${answer.status}: ${await answer.text()}`);
    return answer;
  }

  async #sign(repository: string, actions: readonly string[]): Promise<string> {
    const certificate = readFileSync(this.#pair.certificate, 'utf8').replace(/-----[A-Z ]+-----|\s/g, '');
    return await new SignJWT({ access: [{ type: 'repository', name: repository, actions }] })
      .setProtectedHeader({ alg: 'ES256', typ: 'JWT', x5c: [certificate] })
      .setIssuer(ISSUER)
      .setAudience(SERVICE)
      .setSubject('')
      .setIssuedAt()
      .setNotBefore('0s')
      .setExpirationTime('5m')
      .sign(await importPKCS8(readFileSync(this.#pair.key, 'utf8'), 'ES256'));
  }

  #configure(): string {
    const file = path.join(this.#folder, 'registry.json');
    const { port } = this.#tokens.address() as AddressInfo;
    const { certificate, key } = this.#pair;
    const token = {
      realm: `https://127.0.0.1:${port}/token`,
      ...{ service: SERVICE, issuer: ISSUER },
      rootcertbundle: path.join(this.#folder, 'authority.crt'),
    };
    const configuration = {
      version: '0.1',
      log: { level: 'warn' },
      storage: { inmemory: {} },
      http: { addr: `127.0.0.1:${this.port}`, tls: { certificate, key } },
      auth: { token },
    };
    // YAML reads JSON.
    writeFileSync(file, JSON.stringify(configuration));
    return file;
  }
}
