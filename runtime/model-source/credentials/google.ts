import { importPKCS8, SignJWT } from 'jose';
import { StartFailure } from '../../errors.ts';
import { AddressGuard } from '../http/address-guard.ts';
import { parseAllowList } from '../http/allow-list.ts';
import { HttpClient } from '../http/client.ts';
import type { SourceSettings } from '../remote-file.ts';
import { readSecretKey, TokenCache, type Expiring } from './secret.ts';
import { malformedToken, parseJsonObject, requestToken, textMember } from './token-request.ts';

interface Token extends Expiring {
  readonly value: string;
}

const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_only';
/** Where a service account's key lies in its Secret. */
const KEY = 'key.json';

/** Google's metadata server, which GKE runs on each node. It is asked for a token, and nothing else lies there. */
const METADATA_HOST = '169.254.169.254';
const metadataClient = new HttpClient(new AddressGuard(parseAllowList(METADATA_HOST)));

/** Tokens from where the ModelDeployment says, and from nowhere else. */
export class GoogleTokenSource {
  readonly #client: HttpClient;
  readonly #settings: SourceSettings;
  readonly #cache = new TokenCache(() => this.#obtain());

  constructor(client: HttpClient, settings: SourceSettings) {
    this.#client = client;
    this.#settings = settings;
  }

  /** Undefined: to be asked for as anybody. */
  async read(): Promise<string | undefined> {
    return this.#settings.credentials === 'None' ? undefined : (await this.#cache.read()).value;
  }

  #obtain(): Promise<Token> {
    return this.#settings.credentials === 'Secret' ? this.#exchangeKey() : this.#askMetadata();
  }

  /** Another host than Google's own is held to what holds for every host. */
  async #askMetadata(): Promise<Token> {
    const { metadataHost } = this.#settings.gs;
    const client = metadataHost === undefined ? metadataClient : this.#client;
    const url = new URL(
      `http://${metadataHost ?? METADATA_HOST}/computeMetadata/v1/instance/service-accounts/default/token`,
    );
    return readToken(url, await requestToken(client, { url, headers: { 'metadata-flavor': 'Google' } }));
  }

  async #exchangeKey(): Promise<Token> {
    const key = parseJsonObject(await readSecretKey(this.#settings.credentialsDirectory, KEY));
    const url = URL.parse(textMember(key, 'token_uri') ?? 'https://oauth2.googleapis.com/token');
    const assertion = await signAssertion(key, url);
    if (url === null) throw unusableKey();
    const body = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion,
    });
    return readToken(
      url,
      await requestToken(this.#client, {
        url,
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: body.toString(),
      }),
    );
  }
}

async function signAssertion(key: Readonly<Record<string, unknown>>, url: URL | null): Promise<string> {
  const email = textMember(key, 'client_email');
  const keyId = textMember(key, 'private_key_id');
  if (email === undefined || url === null) throw unusableKey();
  try {
    return await new SignJWT({ scope: SCOPE })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(keyId !== undefined && { kid: keyId }) })
      .setIssuer(email)
      .setAudience(url.href)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(await importPKCS8(textMember(key, 'private_key') ?? '', 'RS256'));
  } catch {
    throw unusableKey();
  }
}

function unusableKey(): StartFailure {
  return new StartFailure(
    'ConfigurationInvalid',
    `the key ${KEY} of the Secret that spec.model.credentials.secretName names is no key of a Google service account, as 'gcloud iam service-accounts keys create' writes it`,
  );
}

function readToken(url: URL, text: string): Token {
  const answer = parseJsonObject(text);
  const value = textMember(answer, 'access_token');
  const { expires_in: lifeSeconds } = answer;
  if (value === undefined) throw malformedToken(url);
  return {
    value,
    expiresAtMs: typeof lifeSeconds === 'number' ? Date.now() + lifeSeconds * 1000 : undefined,
  };
}
