import { StartFailure } from '../../errors.ts';
import type { Headers, HttpClient } from '../http/client.ts';
import type { SourceSettings } from '../remote-file.ts';
import { readSecretKey, TokenCache, type Expiring } from './secret.ts';
import { malformedToken, parseJsonObject, requestToken, textMember } from './token-request.ts';

interface Registry {
  readonly client: HttpClient;
  readonly settings: SourceSettings;
  /** As the address names it. */
  readonly registry: string;
  readonly repository: string;
}

interface Authorization extends Expiring {
  readonly header: string | undefined;
}

/** What a registry's answer to a request without credentials demands. */
export type Challenge =
  | { readonly scheme: 'none' }
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: URL; readonly service: string | undefined };

/** A registry's tokens live a minute at least, whatever it says. */
const SHORTEST_LIFE_SECONDS = 60;
/** Where the key of a Secret of type kubernetes.io/dockerconfigjson lies. */
const DOCKER_CONFIG = '.dockerconfigjson';
const DOCKER_HUB_HOSTS = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io', 'auth.docker.io']);

/** Asks a registry what it demands, and gets it. */
export class RegistryAuthorization {
  readonly #registry: Registry;
  #cache: TokenCache<Authorization> | undefined;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** `base` is where the repository lies. */
  async authorize(base: URL, headers: Headers): Promise<Headers> {
    this.#cache ??= new TokenCache(() => this.#obtain(base));
    const { header } = await this.#cache.read();
    return header === undefined ? headers : { ...headers, authorization: header };
  }

  async #obtain(base: URL): Promise<Authorization> {
    const { client, settings, registry } = this.#registry;
    const challenge = await askChallenge(client, base);
    if (challenge.scheme === 'none') return { header: undefined, expiresAtMs: undefined };
    const basic =
      settings.credentials === 'Secret'
        ? `Basic ${await readDockerLogin(settings.credentialsDirectory, registry)}`
        : undefined;
    if (challenge.scheme === 'basic') return { header: basic, expiresAtMs: undefined };
    if (basic !== undefined) this.#checkRealm(base, challenge.realm);
    return await this.#exchange(challenge, basic);
  }

  /** The registry names the token server itself: it must not send a password wherever it likes. */
  #checkRealm(base: URL, realm: URL): void {
    const isDocker = [base, realm].every(({ hostname }) => DOCKER_HUB_HOSTS.has(hostname));
    const isTrusted =
      realm.hostname === base.hostname || isDocker || this.#registry.client.guard.knows(realm);
    if (realm.protocol === 'https:' && isTrusted) return;
    throw new StartFailure(
      'ModelSourceForbidden',
      `the registry ${base.host} wants the password of the Secret to be sent to ${realm.protocol}//${realm.host}; where that is right, whoever runs the platform allows that host with modelSources.allow of Headgate's chart`,
    );
  }

  async #exchange(
    { realm, service }: Extract<Challenge, { scheme: 'bearer' }>,
    basic: string | undefined,
  ): Promise<Authorization> {
    const { client, repository } = this.#registry;
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set('service', service);
    url.searchParams.set('scope', `repository:${repository}:pull`);
    const headers = basic === undefined ? {} : { authorization: basic };
    const answer = parseJsonObject(await requestToken(client, { url, headers }));
    const token = textMember(answer, 'token') ?? textMember(answer, 'access_token');
    if (token === undefined) throw malformedToken(url);
    const { expires_in: said } = answer;
    const lifeSeconds = Math.max(SHORTEST_LIFE_SECONDS, typeof said === 'number' ? said : 0);
    return { header: `Bearer ${token}`, expiresAtMs: Date.now() + lifeSeconds * 1000 };
  }
}

async function askChallenge(client: HttpClient, base: URL): Promise<Challenge> {
  const answer = await client.send({ url: new URL('/v2/', base) });
  answer.body.destroy();
  if (answer.status !== 401) return { scheme: 'none' };
  return parseChallenge(answer.headers['www-authenticate'] ?? '');
}

export function parseChallenge(header: string): Challenge {
  if (/^basic\b/iu.test(header)) return { scheme: 'basic' };
  const parameter = (name: string): string | undefined =>
    new RegExp(`\\b${name}="([^"]*)"`, 'iu').exec(header)?.[1];
  const realm = URL.parse(parameter('realm') ?? '');
  if (!/^bearer\b/iu.test(header) || realm === null) return { scheme: 'none' };
  realm.username = '';
  realm.password = '';
  return { scheme: 'bearer', realm, service: parameter('service') };
}

/** User and password for a registry, as the header Basic wants them. */
async function readDockerLogin(directory: string, registry: string): Promise<string> {
  const { auths } = parseJsonObject(await readSecretKey(directory, DOCKER_CONFIG));
  const entries = Object.entries(typeof auths === 'object' && auths !== null ? auths : {});
  const entry = entries.find(([key]) => isSameRegistry(key, registry))?.[1] as unknown;
  const login = parseJsonObject(JSON.stringify(entry ?? {}));
  const user = textMember(login, 'username');
  const password = textMember(login, 'password');
  const encoded = textMember(login, 'auth');
  if (encoded !== undefined) return encoded;
  if (user !== undefined && password !== undefined)
    return Buffer.from(`${user}:${password}`).toString('base64');
  throw new StartFailure(
    'ConfigurationInvalid',
    `the Secret that spec.model.credentials.secretName names has no user and password for ${registry}; 'kubectl create secret docker-registry' makes one`,
  );
}

/** Docker writes its own registry as https://index.docker.io/v1/. */
function isSameRegistry(key: string, registry: string): boolean {
  const host = key.replace(/^https?:\/\//u, '').replace(/\/.*$/u, '');
  return host === registry || (DOCKER_HUB_HOSTS.has(host) && DOCKER_HUB_HOSTS.has(registry));
}
