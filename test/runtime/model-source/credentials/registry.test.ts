import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  parseChallenge,
  RegistryAuthorization,
} from '../../../../runtime/model-source/credentials/registry.ts';
import { AddressGuard } from '../../../../runtime/model-source/http/address-guard.ts';
import { parseAllowList } from '../../../../runtime/model-source/http/allow-list.ts';
import { HttpClient, type Answer, type Ask } from '../../../../runtime/model-source/http/client.ts';
import { modelSource } from '../source.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'headgate-login-'));
  const login = { username: 'reader', password: 'secret' };
  const auths = { 'registry.example.com': login, 'https://index.docker.io/v1/': login };
  writeFileSync(path.join(folder, '.dockerconfigjson'), JSON.stringify({ auths }));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Answers as registries of the internet do; what it was asked is kept. */
class Internet extends HttpClient {
  readonly asked: Ask[] = [];
  readonly #realm: string;

  constructor(realm: string, allow = '') {
    super(new AddressGuard(parseAllowList(allow)));
    this.#realm = realm;
  }

  override send(ask: Ask): Promise<Answer> {
    this.asked.push(ask);
    const isRegistry = ask.url.pathname === '/v2/';
    const body = new IncomingMessage(new Socket());
    body.push('{"token":"t"}');
    body.push(null);
    const headers = isRegistry ? { 'www-authenticate': `Bearer realm="${this.#realm}",service="s"` } : {};
    return Promise.resolve({ url: ask.url, status: isRegistry ? 401 : 200, headers, body });
  }
}

function authorize(client: HttpClient, registry: string, host = registry) {
  const settings = modelSource({
    ...{ uri: '', downloadDirectory: '', credentials: 'Secret', credentialsDirectory: folder },
  });
  return new RegistryAuthorization({ client, settings, registry, repository: 'fraud' }).authorize(
    new URL(`https://${host}/v2/fraud/`),
    {},
  );
}

describe('the password for a registry', () => {
  it.each([
    ['registry.example.com', 'registry.example.com', 'https://registry.example.com/token', ''],
    ['registry.example.com', 'registry.example.com', 'https://login.example.com/token', 'login.example.com'],
    ['docker.io', 'registry-1.docker.io', 'https://auth.docker.io/token', ''],
  ])('of %s goes from %s to %s where "%s" is allowed', async (registry, host, realm, allow) => {
    const client = new Internet(realm, allow);
    expect(await authorize(client, registry, host)).toEqual({ authorization: 'Bearer t' });
    expect(client.asked[1]?.url.href).toBe(`${realm}?service=s&scope=repository%3Afraud%3Apull`);
    expect(client.asked[1]?.headers?.['authorization']).toMatch(/^Basic /);
  });

  it.each([
    ['another host', 'https://evil.example.org/token'],
    ['a neighbour', 'https://login.example.com/token'],
    ['a host that only ends alike', 'https://evilregistry.example.com/token'],
    ['the same host without TLS', 'http://registry.example.com/token'],
  ])('never goes to %s', async (_what, realm) => {
    const client = new Internet(realm);
    await expect(authorize(client, 'registry.example.com')).rejects.toMatchObject({
      reason: 'ModelSourceForbidden',
    });
    expect(client.asked).toHaveLength(1);
  });
});

describe('a challenge', () => {
  it.each([
    ['Bearer realm="https://a.example.com/t",service="x"', 'bearer'],
    ['bearer Realm="https://a.example.com/t"', 'bearer'],
    ['Basic realm="registry"', 'basic'],
    ['Bearer realm="nowhere"', 'none'],
    ['Negotiate', 'none'],
    ['', 'none'],
  ])('%s is read as %s', (header, scheme) => {
    expect(parseChallenge(header).scheme).toBe(scheme);
  });

  it('cannot bring a user of its own', () => {
    const challenge = parseChallenge('Bearer realm="https://user:word@a.example.com/t"');
    expect(challenge).toMatchObject({ realm: new URL('https://a.example.com/t') });
  });
});
