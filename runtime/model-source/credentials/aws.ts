import { readFile } from 'node:fs/promises';
import { StartFailure } from '../../errors.ts';
import { AddressGuard } from '../http/address-guard.ts';
import { parseAllowList } from '../http/allow-list.ts';
import { HttpClient } from '../http/client.ts';
import type { SourceSettings } from '../remote-file.ts';
import { readOptionalSecretKey, readSecretKey, TokenCache, type Expiring } from './secret.ts';
import { malformedToken, parseJsonObject, requestToken, textMember } from './token-request.ts';

/** What AWS's own environment variables say; Amazon EKS puts them into pods. */
export interface AwsSettings {
  readonly roleArn: string | undefined;
  readonly webIdentityTokenFile: string | undefined;
  /** Of another token service than that of the region. */
  readonly tokenServiceUrl: string | undefined;
  readonly containerCredentialsUrl: string | undefined;
  readonly containerTokenFile: string | undefined;
}

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

type ExpiringCredentials = AwsCredentials & Expiring;

/** The agent of EKS Pod Identity on each node. It is asked for credentials, and nothing else lies there. */
const POD_IDENTITY_HOSTS = ['169.254.170.23', '[fd00:ec2::23]'];
const podIdentityGuard = new AddressGuard(parseAllowList('169.254.170.23, fd00:ec2::23'));

/** Credentials from where the ModelDeployment says, and from nowhere else: none is no fallback for some. */
export class AwsCredentialSource {
  readonly #client: HttpClient;
  readonly #settings: SourceSettings;
  readonly #cache = new TokenCache(() => this.#obtain());

  constructor(client: HttpClient, settings: SourceSettings) {
    this.#client = client;
    this.#settings = settings;
  }

  /** Undefined: to be asked for as anybody. */
  async read(): Promise<AwsCredentials | undefined> {
    return this.#settings.credentials === 'None' ? undefined : await this.#cache.read();
  }

  async #obtain(): Promise<ExpiringCredentials> {
    const { credentials, credentialsDirectory, aws } = this.#settings;
    if (credentials === 'Secret') return await readFromSecret(credentialsDirectory);
    const { roleArn, webIdentityTokenFile, containerCredentialsUrl, containerTokenFile } = aws;
    if (roleArn !== undefined && webIdentityTokenFile !== undefined) {
      return await this.#assumeRole(roleArn, webIdentityTokenFile);
    }
    if (containerCredentialsUrl !== undefined && containerTokenFile !== undefined) {
      return await askPodIdentity(containerCredentialsUrl, containerTokenFile);
    }
    throw new StartFailure(
      'ConfigurationInvalid',
      'spec.model.credentials asks for workload identity, and the pod has none: neither AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE nor AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE are set; give spec.model.credentials.workloadIdentity.role, or a service account that Amazon EKS knows',
    );
  }

  /** The token goes in the body: addresses are written into logs. */
  async #assumeRole(roleArn: string, tokenFile: string): Promise<ExpiringCredentials> {
    const { aws, s3 } = this.#settings;
    const url = new URL(aws.tokenServiceUrl ?? `https://sts.${s3.region}.amazonaws.com/`);
    const text = await requestToken(this.#client, {
      url,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        Action: 'AssumeRoleWithWebIdentity',
        Version: '2011-06-15',
        RoleArn: roleArn,
        RoleSessionName: 'headgate',
        WebIdentityToken: await readTokenFile(tokenFile),
      }).toString(),
    });
    const element = (name: string): string | undefined =>
      new RegExp(`<${name}>([^<]+)</${name}>`, 'u').exec(text)?.[1];
    return usable(url, {
      accessKeyId: element('AccessKeyId'),
      secretAccessKey: element('SecretAccessKey'),
      sessionToken: element('SessionToken'),
      expiration: element('Expiration'),
    });
  }
}

async function readFromSecret(directory: string): Promise<ExpiringCredentials> {
  const sessionToken = await readOptionalSecretKey(directory, 'AWS_SESSION_TOKEN');
  return {
    accessKeyId: await readSecretKey(directory, 'AWS_ACCESS_KEY_ID'),
    secretAccessKey: await readSecretKey(directory, 'AWS_SECRET_ACCESS_KEY'),
    ...(sessionToken !== undefined && { sessionToken }),
    expiresAtMs: undefined,
  };
}

async function askPodIdentity(address: string, tokenFile: string): Promise<ExpiringCredentials> {
  const url = URL.parse(address);
  if (url?.protocol !== 'http:' || !POD_IDENTITY_HOSTS.includes(url.hostname)) {
    throw new StartFailure(
      'ConfigurationInvalid',
      `AWS_CONTAINER_CREDENTIALS_FULL_URI must be on http://${POD_IDENTITY_HOSTS.join(' or http://')}, as Amazon EKS sets it; remove it`,
    );
  }
  const headers = { authorization: await readTokenFile(tokenFile) };
  const answer = parseJsonObject(await requestToken(new HttpClient(podIdentityGuard), { url, headers }));
  return usable(url, {
    accessKeyId: textMember(answer, 'AccessKeyId'),
    secretAccessKey: textMember(answer, 'SecretAccessKey'),
    sessionToken: textMember(answer, 'Token'),
    expiration: textMember(answer, 'Expiration'),
  });
}

interface Answered {
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  readonly sessionToken: string | undefined;
  readonly expiration: string | undefined;
}

function usable(
  url: URL,
  { accessKeyId, secretAccessKey, sessionToken, expiration }: Answered,
): ExpiringCredentials {
  if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined) {
    throw malformedToken(url);
  }
  const expiresAtMs = Date.parse(expiration ?? '');
  return {
    accessKeyId,
    secretAccessKey,
    sessionToken,
    expiresAtMs: Number.isNaN(expiresAtMs) ? undefined : expiresAtMs,
  };
}

async function readTokenFile(file: string): Promise<string> {
  const token = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new StartFailure(
      'ConfigurationInvalid',
      `the token of the pod's service account cannot be read from ${file} (${(cause as NodeJS.ErrnoException).code ?? 'unreadable'})`,
      { cause },
    );
  });
  return token.trim();
}
