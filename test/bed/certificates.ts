import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './shell.ts';

export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface LeafRequest {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  /** For example `IP:127.0.0.1` or `DNS:localhost`; a certificate without one is for clients. */
  readonly alternativeNames?: readonly string[];
}

/** A certificate authority in a folder; every certificate is a pair of files there. */
export class Authority {
  readonly folder: string;
  readonly name: string;

  private constructor(folder: string, name: string) {
    this.folder = folder;
    this.name = name;
  }

  get certificate(): string {
    return join(this.folder, `${this.name}.crt`);
  }

  static open(folder: string, name: string): Authority {
    return new Authority(folder, name);
  }

  static async create(folder: string, name: string): Promise<Authority> {
    const authority = new Authority(folder, name);
    // An own configuration: the distribution's adds extensions of its own to every certificate.
    await writeFile(join(folder, 'openssl.cnf'), '[req]\ndistinguished_name=name\n[name]\n');
    await run('openssl', [
      ...authority.newCertificate(name, `/CN=${name}`),
      ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
      ...['-addext', 'subjectKeyIdentifier=hash'],
    ]);
    return authority;
  }

  async issue(file: string, request: LeafRequest): Promise<KeyPair> {
    const subject = [
      ...(request.organizations ?? []).map((name) => `/O=${name}`),
      `/CN=${request.commonName}`,
    ];
    const names = request.alternativeNames ?? [];
    await run('openssl', [
      ...this.newCertificate(file, subject.join('')),
      ...['-CA', this.certificate, '-CAkey', join(this.folder, `${this.name}.key`)],
      ...['-addext', 'keyUsage=critical,digitalSignature,keyEncipherment'],
      ...[
        '-addext',
        'extendedKeyUsage=clientAuth,serverAuth',
        '-addext',
        'basicConstraints=critical,CA:FALSE',
      ],
      ...(names.length === 0 ? [] : ['-addext', `subjectAltName=${names.join(',')}`]),
    ]);
    return { certificate: join(this.folder, `${file}.crt`), key: join(this.folder, `${file}.key`) };
  }

  private newCertificate(file: string, subject: string): string[] {
    return [
      ...[
        'req',
        '-x509',
        '-config',
        join(this.folder, 'openssl.cnf'),
        '-subj',
        subject,
        '-days',
        '3650',
        '-nodes',
      ],
      ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
      ...['-keyout', join(this.folder, `${file}.key`), '-out', join(this.folder, `${file}.crt`)],
    ];
  }
}

/** The pair with which the API server signs and checks the tokens of service accounts. */
export async function createServiceAccountKeys(
  folder: string,
): Promise<{ publicKey: string; privateKey: string }> {
  const pair = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const files = {
    publicKey: join(folder, 'service-account.pub'),
    privateKey: join(folder, 'service-account.key'),
  };
  await writeFile(files.publicKey, pair.publicKey);
  await writeFile(files.privateKey, pair.privateKey, { mode: 0o600 });
  return files;
}

export interface KubeconfigUser {
  readonly token?: string;
  readonly pair?: KeyPair;
}

/** A kubeconfig that carries everything it needs, so that it may be copied anywhere. */
export async function writeKubeconfig(
  path: string,
  url: string,
  authority: Authority,
  user: KubeconfigUser,
): Promise<void> {
  const embedded = async (file: string): Promise<string> => (await readFile(file)).toString('base64');
  const credentials = {
    ...(user.token === undefined ? {} : { token: user.token }),
    ...(user.pair === undefined
      ? {}
      : {
          'client-certificate-data': await embedded(user.pair.certificate),
          'client-key-data': await embedded(user.pair.key),
        }),
  };
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'bed',
        cluster: { server: url, 'certificate-authority-data': await embedded(authority.certificate) },
      },
    ],
    users: [{ name: 'user', user: credentials }],
    contexts: [{ name: 'bed', context: { cluster: 'bed', user: 'user', namespace: 'default' } }],
    'current-context': 'bed',
  };
  await writeFile(path, JSON.stringify(kubeconfig, null, 2), { mode: 0o600 });
}
