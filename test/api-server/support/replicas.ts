import { readFile, writeFile } from 'node:fs/promises';
import { waitFor } from '../../bed/wait.ts';
import { SYSTEM_NAMESPACE, type Installation } from './installation.ts';
import type { OperatorProcess } from './operator-process.ts';
import { Way } from './way.ts';

export interface Replica {
  readonly name: string;
  readonly way: Way;
  readonly operator: OperatorProcess;
}

/** Longer than any failover takes, on a machine that is busy with others. */
const LONGEST_FAILOVER_MS = 90_000;

/** Several operators of one installation, each on a way of its own to the API server. */
export class Replicas {
  private readonly installation: Installation;
  private readonly leaseSeconds: number;
  private readonly members = new Map<string, Replica>();
  private direct: string | undefined;
  private started = 0;

  constructor(installation: Installation, leaseSeconds: number) {
    this.installation = installation;
    this.leaseSeconds = leaseSeconds;
  }

  /** Settled once it is ready. */
  async add(): Promise<Replica> {
    const { server } = this.installation;
    this.started += 1;
    const name = `operator-${this.started}`;
    const way = await Way.to(server.url);
    this.direct ??= await server.kubeconfigForServiceAccount(SYSTEM_NAMESPACE, 'headgate');
    const kubeconfig = `${this.direct}.${name}`;
    await writeFile(kubeconfig, (await readFile(this.direct, 'utf8')).replace(server.url, way.url));
    const operator = await this.installation.startOperator({
      ...{ KUBECONFIG: kubeconfig, HEADGATE_POD_NAME: name },
      HEADGATE_LEASE_SECONDS: String(this.leaseSeconds),
    });
    const replica = { name, way, operator };
    this.members.set(name, replica);
    return replica;
  }

  async kill(replica: Replica): Promise<void> {
    await replica.operator.kill();
    await this.drop(replica);
  }

  /** Forgets one that has ended. */
  async drop({ name, way }: Replica): Promise<void> {
    this.members.delete(name);
    await way.stop();
  }

  /** In good order, so that whoever comes next need not wait for a Lease to run out. */
  async stop(): Promise<void> {
    for (const replica of this.members.values()) {
      // One that a test has stopped would never hear of its end.
      process.kill(replica.operator.pid, 'SIGCONT');
      await replica.operator.terminate();
      await this.drop(replica);
    }
  }

  /** The one that holds the Lease, or, given its predecessor, the next one to hold it. */
  async leader(predecessor?: Replica): Promise<Replica> {
    return await waitFor(
      'somebody leads',
      async () => {
        const member = this.members.get((await this.holder())?.split('_')[0] ?? '');
        return member === predecessor ? undefined : member;
      },
      { timeoutMs: LONGEST_FAILOVER_MS, everyMs: 20 },
    );
  }

  private async holder(): Promise<string | undefined> {
    const lease = await this.installation.get('Lease', 'headgate', SYSTEM_NAMESPACE);
    return (lease as { readonly spec?: { readonly holderIdentity?: string } }).spec?.holderIdentity;
  }
}

/** When it began its last term, by its own log. */
export async function ledFrom({ operator }: Replica, afterMs: number): Promise<number> {
  return await waitFor(
    'it says that it leads',
    () => {
      const atMs = Date.parse(String(operator.lines('leading').at(-1)?.['timestamp']));
      return atMs > afterMs && atMs;
    },
    { everyMs: 20 },
  );
}

export async function isLeader({ operator }: Replica): Promise<boolean> {
  return /^headgate_leader 1$/m.test((await operator.ask('/metrics')).body);
}
