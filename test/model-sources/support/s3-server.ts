import { freePort } from '../../bed/free-port.ts';
import { part } from '../../bed/programs.ts';
import { ServerProcess } from './server-process.ts';

export interface AccessKey {
  readonly id: string;
  readonly secret: string;
}

export interface Place {
  readonly address: string;
  /** Words in front of the server's command, such as the network namespace that has the address. */
  readonly enter: readonly string[];
}

const READ = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::models/*' }],
};
const TRUST = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Federated: '*' }, Action: 'sts:AssumeRoleWithWebIdentity' }],
};
const IAM = '2010-05-08';

/**
 * Moto: S3, IAM and STS in one server. Once strict, it checks the signature and the rights of every request against
 * the users and roles that it knows, with Amazon's own rules.
 */
export class S3Server {
  readonly url: string;
  readonly #process: ServerProcess;

  private constructor(port: number, { address, enter }: Place) {
    this.url = `http://${address}:${port}`;
    const [program, ...args] = [...enter, part('moto_server'), '-H', address, '-p', String(port)];
    this.#process = new ServerProcess(program, args);
  }

  static async start(place: Place = { address: '127.0.0.1', enter: [] }): Promise<S3Server> {
    const server = new S3Server(await freePort(), place);
    await server.#process.untilItAnswers(`${server.url}/moto-api/`);
    return server;
  }

  get log(): string {
    return this.#process.log;
  }

  async createBucket(bucket: string): Promise<void> {
    await this.#send(`/${bucket}`, { method: 'PUT' });
  }

  async put(path: string, body: Uint8Array<ArrayBuffer>): Promise<void> {
    const headers = { 'content-type': 'application/octet-stream' };
    await this.#send(`/${path}`, { method: 'PUT', headers, body });
  }

  /** A user who may read the bucket `models` and nothing else. */
  async createReader(): Promise<AccessKey> {
    await this.#manage({ Action: 'CreateUser', UserName: 'reader' });
    await this.#manage({
      ...{ Action: 'PutUserPolicy', UserName: 'reader' },
      ...{ PolicyName: 'read', PolicyDocument: JSON.stringify(READ) },
    });
    const answer = await this.#manage({ Action: 'CreateAccessKey', UserName: 'reader' });
    const element = (name: string): string => new RegExp(`<${name}>([^<]+)<`).exec(answer)?.[1] ?? '';
    return { id: element('AccessKeyId'), secret: element('SecretAccessKey') };
  }

  /** A role that a web identity may take on, to read the bucket `models`; its ARN. */
  async createRole(): Promise<string> {
    const answer = await this.#manage({
      ...{ Action: 'CreateRole', RoleName: 'models', AssumeRolePolicyDocument: JSON.stringify(TRUST) },
    });
    await this.#manage({
      ...{ Action: 'PutRolePolicy', RoleName: 'models' },
      ...{ PolicyName: 'read', PolicyDocument: JSON.stringify(READ) },
    });
    return /<Arn>([^<]+)</.exec(answer)?.[1] ?? '';
  }

  /** From here on every request has to be signed, but for the next few. */
  async beStrict(unsignedRequests = 0): Promise<void> {
    const headers = { 'content-type': 'text/plain' };
    await this.#send('/moto-api/reset-auth', { method: 'POST', headers, body: String(unsignedRequests) });
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }

  async #manage(parameters: Readonly<Record<string, string>>): Promise<string> {
    return await this.#send('/', {
      method: 'POST',
      // Only tells which of its services is meant, as long as it is not strict.
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iam/aws4_request' },
      body: new URLSearchParams({ ...parameters, Version: IAM }),
    });
  }

  async #send(path: string, init: RequestInit): Promise<string> {
    const answer = await fetch(`${this.url}${path}`, init);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}: ${text}`);
    return text;
  }
}
