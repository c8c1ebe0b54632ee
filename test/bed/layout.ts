import { join, resolve } from 'node:path';

/** The bed's own names on the machine; everything else of it lives in namespaces of its own. */
export const names = {
  /** On the machine the outer end of a cable, in the bed a bridge with the node's address. */
  link: 'headgate0',
  podBridge: 'headgate-pods',
  cgroup: 'headgate-bed',
  node: 'headgate-bed',
} as const;

export const addresses = {
  node: '10.10.0.1',
  /** The machine itself, as pods see it. */
  machine: '10.10.0.2',
  nodeRange: '10.10.0.0/24',
  podRange: '10.11.0.0/23',
  podGateway: '10.11.0.1',
  podRangeFirst: '10.11.0.10',
  podRangeLast: '10.11.0.254',
  /** Clients in network namespaces of their own take theirs from the second half of the pods' range. */
  clientPrefix: '10.11.1.',
  serviceRange: '10.96.0.0/16',
} as const;

export const ports = {
  etcd: 2379,
  etcdPeer: 2380,
  apiServer: 6443,
  istiodGrpc: 15010,
  istiodMonitoring: 15014,
  istiodHttp: 15080,
  prometheus: 9090,
  adapter: 9443,
  models: 8000,
} as const;

export interface Layout {
  readonly folder: string;
  readonly pki: string;
  readonly configuration: string;
  readonly logs: string;
  /** Says that the folder is a bed's, so that a bed may remove it. */
  readonly marker: string;
  readonly record: string;
  readonly kubeconfig: string;
  readonly containerdSocket: string;
  readonly results: string;
}

export function bedLayout(folder: string = process.env['HEADGATE_BED'] ?? '/var/lib/headgate-bed'): Layout {
  const root = resolve(folder);
  return {
    folder: root,
    pki: join(root, 'pki'),
    configuration: join(root, 'configuration'),
    logs: join(root, 'logs'),
    marker: join(root, '.headgate-bed'),
    record: join(root, 'bed.json'),
    kubeconfig: join(root, 'admin.kubeconfig'),
    containerdSocket: join(root, 'containerd.sock'),
    results: join(root, 'results'),
  };
}

export const repository = resolve(import.meta.dirname, '..', '..');

/** What the API server must be able to prove that it is. */
export const apiServerNames = [
  `IP:${addresses.node}`,
  'IP:10.96.0.1',
  'IP:127.0.0.1',
  'DNS:kubernetes.default.svc',
  'DNS:kubernetes.default',
  'DNS:localhost',
];

export const apiServerUrl = `https://${addresses.node}:${ports.apiServer}`;
