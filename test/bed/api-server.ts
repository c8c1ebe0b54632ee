import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeKubeconfig } from './certificates.ts';
import { BoundProgram, removeWithParent } from './child.ts';
import {
  apiServerArguments,
  askApiServer,
  auditLogOf,
  createIdentities,
  etcdArguments,
  writeAdminKubeconfig,
  type Identities,
} from './control-plane.ts';
import { freePort } from './free-port.ts';
import { createKubectl, type Kubectl } from './kubectl.ts';
import { part } from './programs.ts';
import { waitFor } from './wait.ts';

export interface ApiServerOptions {
  /** Flags of kube-apiserver beside the usual ones. */
  readonly further?: readonly string[];
  readonly auditPolicy?: object;
}

export interface RunningApiServer {
  /** Path of the administrator's kubeconfig. */
  readonly kubeconfig: string;
  readonly url: string;
  readonly auditLog: string;
  readonly folder: string;
  readonly kubectl: Kubectl;
  /** A kubeconfig for any user, proven by a client certificate. */
  kubeconfigForUser(user: string, groups?: readonly string[]): Promise<string>;
  /** A kubeconfig with a token of a service account, which must exist. */
  kubeconfigForServiceAccount(namespace: string, name: string): Promise<string>;
  /** Ends only the API server, as an outage; etcd keeps everything. */
  interrupt(): Promise<void>;
  /** Starts the API server again on the same address after `interrupt`. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** A real API server over a real etcd: admission, RBAC, watches; nothing that runs pods. */
export async function startApiServer(options: ApiServerOptions = {}): Promise<RunningApiServer> {
  const folder = await mkdtemp(join(tmpdir(), 'headgate-api-'));
  const removeFolder = removeWithParent(folder);
  const server = new ApiServer(folder, removeFolder);
  try {
    await server.start(options);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

class ApiServer implements RunningApiServer {
  readonly folder: string;
  readonly kubeconfig: string;
  readonly auditLog: string;
  readonly kubectl: Kubectl;
  url = '';
  private readonly removeFolder: () => Promise<void>;
  private identities: Identities | undefined;
  private etcd: BoundProgram | undefined;
  private apiServer: BoundProgram | undefined;
  private apiServerArguments: readonly string[] = [];

  constructor(folder: string, removeFolder: () => Promise<void>) {
    this.folder = folder;
    this.removeFolder = removeFolder;
    this.kubeconfig = join(folder, 'admin.kubeconfig');
    this.auditLog = auditLogOf(folder);
    this.kubectl = createKubectl(this.kubeconfig, join(folder, 'kubectl-cache'));
  }

  async start(options: ApiServerOptions): Promise<void> {
    const [port, clientPort, peerPort] = [await freePort(), await freePort(), await freePort()];
    this.url = `https://127.0.0.1:${port}`;
    const etcdUrl = `http://127.0.0.1:${clientPort}`;
    this.etcd = this.launch(
      'etcd',
      etcdArguments({
        folder: join(this.folder, 'etcd'),
        clientUrl: etcdUrl,
        peerUrl: `http://127.0.0.1:${peerPort}`,
      }),
    );
    this.identities = await createIdentities(join(this.folder, 'pki'), ['IP:127.0.0.1', 'DNS:localhost']);
    await writeAdminKubeconfig(this.kubeconfig, this.url, this.identities);
    this.apiServerArguments = await apiServerArguments({
      ...{ folder: this.folder, address: '127.0.0.1', port, etcdUrl, serviceRange: '10.96.0.0/16' },
      identities: this.identities,
      ...(options.auditPolicy === undefined ? {} : { auditPolicy: options.auditPolicy }),
      // No controller makes the default service accounts here, and a loopback address is no endpoint.
      further: [
        ...['--endpoint-reconciler-type=none', '--disable-admission-plugins=ServiceAccount'],
        ...(options.further ?? []),
      ],
    });
    await this.resume();
  }

  async resume(): Promise<void> {
    const { identities } = this;
    if (identities === undefined) throw new Error('the API server was never started');
    this.apiServer = this.launch('kube-apiserver', this.apiServerArguments);
    await waitFor('the API server becomes ready', async () => {
      this.etcd?.assertRunning();
      this.apiServer?.assertRunning();
      return (await askApiServer(this.url, '/readyz', identities)) === 200;
    });
  }

  async interrupt(): Promise<void> {
    await this.apiServer?.stop();
  }

  async kubeconfigForUser(user: string, groups: readonly string[] = []): Promise<string> {
    const identities = this.requireIdentities();
    const file = `user-${user.replaceAll(/[^a-zA-Z0-9]/g, '-')}`;
    const pair = await identities.authority.issue(file, { commonName: user, organizations: groups });
    const path = join(this.folder, `${file}.kubeconfig`);
    await writeKubeconfig(path, this.url, identities.authority, { pair });
    return path;
  }

  async kubeconfigForServiceAccount(namespace: string, name: string): Promise<string> {
    const token = (
      await this.kubectl('create', 'token', name, '--namespace', namespace, '--duration=8h')
    ).trim();
    const path = join(this.folder, `service-account-${namespace}-${name}.kubeconfig`);
    await writeKubeconfig(path, this.url, this.requireIdentities().authority, { token });
    return path;
  }

  async stop(): Promise<void> {
    await this.apiServer?.stop();
    await this.etcd?.stop();
    await this.removeFolder();
  }

  private requireIdentities(): Identities {
    if (this.identities === undefined) throw new Error('the API server was never started');
    return this.identities;
  }

  private launch(name: 'etcd' | 'kube-apiserver', args: readonly string[]): BoundProgram {
    return new BoundProgram(part(name), args, { name, logFile: join(this.folder, `${name}.log`) });
  }
}
