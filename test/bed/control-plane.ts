import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { Authority, createServiceAccountKeys, writeKubeconfig, type KeyPair } from './certificates.ts';

/** Everything that signs or proves an identity in one cluster, as files. */
export interface Identities {
  readonly authority: Authority;
  readonly frontProxyAuthority: Authority;
  readonly server: KeyPair;
  readonly frontProxy: KeyPair;
  readonly kubeletClient: KeyPair;
  readonly admin: KeyPair;
  readonly serviceAccountKeys: { readonly publicKey: string; readonly privateKey: string };
}

export async function createIdentities(folder: string, serverNames: readonly string[]): Promise<Identities> {
  await mkdir(folder, { recursive: true });
  const [authority, frontProxyAuthority, serviceAccountKeys] = await Promise.all([
    Authority.create(folder, 'cluster-ca'),
    Authority.create(folder, 'front-proxy-ca'),
    createServiceAccountKeys(folder),
  ]);
  const [server, frontProxy, kubeletClient, admin] = await Promise.all([
    authority.issue('api-server', { commonName: 'kube-apiserver', alternativeNames: serverNames }),
    frontProxyAuthority.issue('front-proxy', { commonName: 'front-proxy' }),
    authority.issue('kubelet-client', { commonName: 'kubelet-client', organizations: ['system:masters'] }),
    authority.issue('admin', { commonName: 'bed-admin', organizations: ['system:masters'] }),
  ]);
  return { authority, frontProxyAuthority, server, frontProxy, kubeletClient, admin, serviceAccountKeys };
}

/** Who wrote what and when, without the bodies; probes of health are nobody's write. */
const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'None', nonResourceURLs: ['/healthz*', '/readyz*', '/livez*'] }, { level: 'Metadata' }],
};

export interface EtcdPlace {
  readonly folder: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
}

export function etcdArguments(place: EtcdPlace): string[] {
  return [
    ...['--name=bed', `--data-dir=${place.folder}`, '--unsafe-no-fsync', '--log-level=warn'],
    ...[`--listen-client-urls=${place.clientUrl}`, `--advertise-client-urls=${place.clientUrl}`],
    ...[`--listen-peer-urls=${place.peerUrl}`, `--initial-advertise-peer-urls=${place.peerUrl}`],
    `--initial-cluster=bed=${place.peerUrl}`,
  ];
}

export interface ApiServerPlace {
  readonly folder: string;
  readonly address: string;
  readonly port: number;
  readonly etcdUrl: string;
  readonly serviceRange: string;
  readonly identities: Identities;
  /** What one tier needs and the other has not, such as the aggregation layer. */
  readonly further: readonly string[];
  /** What is recorded, instead of everybody's requests without bodies. */
  readonly auditPolicy?: object;
}

export function auditLogOf(folder: string): string {
  return join(folder, 'audit.log');
}

export async function apiServerArguments(place: ApiServerPlace): Promise<string[]> {
  const { identities } = place;
  const policy = join(place.folder, 'audit-policy.json');
  await writeFile(policy, JSON.stringify(place.auditPolicy ?? auditPolicy));
  return [
    ...[
      `--bind-address=${place.address}`,
      `--advertise-address=${place.address}`,
      `--secure-port=${place.port}`,
    ],
    ...[`--etcd-servers=${place.etcdUrl}`, `--service-cluster-ip-range=${place.serviceRange}`],
    ...[
      `--tls-cert-file=${identities.server.certificate}`,
      `--tls-private-key-file=${identities.server.key}`,
    ],
    `--client-ca-file=${identities.authority.certificate}`,
    ...[
      '--service-account-issuer=https://kubernetes.default.svc',
      '--api-audiences=https://kubernetes.default.svc',
    ],
    `--service-account-key-file=${identities.serviceAccountKeys.publicKey}`,
    `--service-account-signing-key-file=${identities.serviceAccountKeys.privateKey}`,
    ...['--authorization-mode=Node,RBAC', '--allow-privileged=true', '--anonymous-auth=true'],
    ...[
      `--audit-policy-file=${policy}`,
      `--audit-log-path=${auditLogOf(place.folder)}`,
      '--audit-log-maxsize=2000',
    ],
    ...['--enable-priority-and-fairness=false', '--profiling=false', '--shutdown-delay-duration=0s'],
    ...place.further,
  ];
}

/** The flags by which the API server speaks to the kubelet and to aggregated API servers. */
export function clusterArguments(identities: Identities): string[] {
  return [
    ...[`--kubelet-client-certificate=${identities.kubeletClient.certificate}`],
    ...[
      `--kubelet-client-key=${identities.kubeletClient.key}`,
      '--kubelet-preferred-address-types=InternalIP',
    ],
    ...['--enable-aggregator-routing=true', '--requestheader-allowed-names=front-proxy'],
    `--requestheader-client-ca-file=${identities.frontProxyAuthority.certificate}`,
    ...['--requestheader-username-headers=X-Remote-User', '--requestheader-group-headers=X-Remote-Group'],
    ...['--requestheader-uid-headers=X-Remote-Uid', '--requestheader-extra-headers-prefix=X-Remote-Extra-'],
    ...[`--proxy-client-cert-file=${identities.frontProxy.certificate}`],
    `--proxy-client-key-file=${identities.frontProxy.key}`,
  ];
}

export async function writeAdminKubeconfig(path: string, url: string, identities: Identities): Promise<void> {
  await writeKubeconfig(path, url, identities.authority, { pair: identities.admin });
}

/** The status that the API server answers to its administrator at a path. */
export function askApiServer(url: string, path: string, identities: Identities): Promise<number> {
  return new Promise((resolve, reject) => {
    const question = request(
      `${url}${path}`,
      {
        ca: readFileSync(identities.authority.certificate),
        cert: readFileSync(identities.admin.certificate),
        key: readFileSync(identities.admin.key),
        timeout: 2_000,
        agent: false,
      },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    question.on('timeout', () => question.destroy(new Error('no answer in 2 s')));
    question.on('error', reject);
    question.end();
  });
}
