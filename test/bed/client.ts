import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bed } from './bed.ts';
import { envoyBootstrap } from './envoy-bootstrap.ts';
import { addresses, names } from './layout.ts';
import { enterWords } from './namespace.ts';
import { run, succeeds } from './shell.ts';
import { toolchain } from './toolchain.ts';
import { waitFor } from './wait.ts';

export interface ClientOptions {
  readonly name: string;
  readonly namespace: string;
  /** With one, every outgoing connection goes through an Envoy that istiod configures, as in an injected pod. */
  readonly sidecar: boolean;
  readonly labels?: Readonly<Record<string, string>>;
}

/** A computer of its own on the pods' network: a network namespace with one address, ended with this process. */
export interface Client {
  readonly address: string;
  /** Words in front of a command that make it run there; `enter` of a load. */
  readonly enter: readonly string[];
  run(...command: string[]): Promise<string>;
  /** Process of the sidecar as numbered inside the bed; undefined without one. */
  stop(): Promise<void>;
}

/** Processes of this group pass by the redirection, as the sidecar must. */
const sidecarGroup = '1337';

export async function startClient(bed: Bed, options: ClientOptions): Promise<Client> {
  const keeper = keep([
    ...enterWords(bed.namespace),
    'unshare',
    '--net',
    'sh',
    '-c',
    'echo $$; cat >/dev/null',
  ]);
  const [printed] = (await once(keeper.stdout, 'data')) as [Buffer];
  const pid = printed.toString().trim();
  const address = await freeAddress(bed);
  const enter = [...enterWords(bed.namespace), 'nsenter', '-t', pid, '-n', '--'];
  await bed.inside('sh', '-ec', attachScript(pid, address));
  const client = new RunningClient(address, enter, keeper);
  if (options.sidecar) await client.startSidecar(bed, options);
  return client;
}

class RunningClient implements Client {
  readonly address: string;
  readonly enter: readonly string[];
  private readonly processes: ChildProcessWithoutNullStreams[];

  constructor(address: string, enter: readonly string[], keeper: ChildProcessWithoutNullStreams) {
    this.address = address;
    this.enter = enter;
    this.processes = [keeper];
  }

  run(...command: string[]): Promise<string> {
    const [program = '', ...args] = [...this.enter, ...command];
    return run(program, args);
  }

  async startSidecar(bed: Bed, options: ClientOptions): Promise<void> {
    const { envoy } = await toolchain();
    const bootstrap = join(bed.layout.configuration, `sidecar-${this.address}.json`);
    await writeFile(bootstrap, JSON.stringify(envoyBootstrap({ adminAddress: '0.0.0.0' })));
    // Envoy ends with its input, and the input with us.
    const bound = ['sh', '-c', '"$@" & child=$!; cat >/dev/null; kill -KILL $child'];
    const group = ['setpriv', '--regid', sidecarGroup, '--clear-groups'];
    this.processes.push(
      keep([
        ...this.enter,
        ...bound,
        'sidecar',
        ...group,
        envoy,
        ...sidecarArguments(this.address, bootstrap, options),
      ]),
    );
    // Listeners are listed before its workers have begun to accept.
    await waitFor('the sidecar accepts outgoing connections', async () => {
      const [ready, listeners] = await Promise.all(
        ['ready', 'listeners'].map((page) => fetch(`http://${this.address}:15000/${page}`)),
      );
      return ready?.ok === true && (await listeners?.text())?.includes(':15001');
    });
    await this.run('sh', '-ec', redirectScript);
  }

  async stop(): Promise<void> {
    for (const child of this.processes.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    }
  }
}

function sidecarArguments(address: string, bootstrap: string, options: ClientOptions): string[] {
  const { name, namespace, labels = { app: name } } = options;
  const metadata = {
    ...{
      NAMESPACE: namespace,
      NAME: name,
      LABELS: labels,
      CLUSTER_ID: 'Kubernetes',
      ISTIO_VERSION: '1.27.0',
    },
    ...{ INTERCEPTION_MODE: 'REDIRECT', INSTANCE_IPS: address },
  };
  return [
    ...['--config-path', bootstrap, '--concurrency', '1', '--log-level', 'error'],
    // Several Envoys on one machine meet in its shared memory otherwise.
    ...['--disable-hot-restart', '--service-cluster', `${name}.${namespace}`],
    ...['--service-node', `sidecar~${address}~${name}.${namespace}~${namespace}.svc.cluster.local`],
    ...['--config-yaml', JSON.stringify({ node: { metadata } })],
  ];
}

/** What istio-init does in a pod, for outgoing connections. */
const redirectScript = `
iptables -t nat -A OUTPUT -p tcp -o lo -j RETURN
iptables -t nat -A OUTPUT -p tcp -m owner --gid-owner ${sidecarGroup} -j RETURN
iptables -t nat -A OUTPUT -p tcp -j REDIRECT --to-ports 15001
`;

function attachScript(pid: string, address: string): string {
  return `
ip link add client-${pid} type veth peer name eth0 netns ${pid}
ip link set client-${pid} master ${names.podBridge} up
nsenter -t ${pid} -n -- ip link set lo up
nsenter -t ${pid} -n -- ip addr add ${address}/23 dev eth0
nsenter -t ${pid} -n -- ip link set eth0 up
nsenter -t ${pid} -n -- ip route add default via ${addresses.podGateway}
`;
}

async function freeAddress(bed: Bed): Promise<string> {
  return await waitFor('a free address for a client', async () => {
    const address = `${addresses.clientPrefix}${randomInt(10, 250)}`;
    const [program = '', ...enter] = enterWords(bed.namespace);
    const used = await succeeds(program, [...enter, 'ping', '-c', '1', '-W', '1', address]);
    return used ? undefined : address;
  });
}

/** A process that lives as long as its input is open; the kernel closes it when this process ends. */
function keep(command: readonly string[]): ChildProcessWithoutNullStreams {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stderr.pipe(process.stderr);
  return child;
}
