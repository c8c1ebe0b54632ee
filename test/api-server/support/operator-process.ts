import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from '../../bed/free-port.ts';
import { repository } from '../../charts/render.ts';
import { waitFor } from '../../bed/wait.ts';

export const RUNTIME_IMAGE = 'localhost/headgate-runtime:dev';

const EVERYTHING_ALLOWED = JSON.stringify([{ namespaces: ['*'], gateways: ['*'], hosts: ['*'] }]);

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface Ending {
  readonly code: number | null;
  readonly afterMs: number;
}

/** `node operator/main.ts` as a process of its own, as the image runs it; it ends with the test. */
export class OperatorProcess {
  readonly log: LogLine[] = [];
  /** Whatever it wrote that is no line of its log. */
  readonly noise: string[] = [];
  private readonly child: ChildProcess;
  private readonly healthUrl: string;

  private constructor(child: ChildProcess, healthPort: number) {
    this.child = child;
    this.healthUrl = `http://127.0.0.1:${healthPort}`;
    if (child.stdout !== null) createInterface(child.stdout).on('line', (line) => this.hear(line));
    if (child.stderr !== null) createInterface(child.stderr).on('line', (line) => this.noise.push(line));
  }

  /** Settled as soon as the process is there; see `ready`. */
  static async launch(
    kubeconfig: string,
    settings: Readonly<Record<string, string>> = {},
    program = 'operator/main.ts',
  ): Promise<OperatorProcess> {
    const healthPort = await freePort();
    const words = ['--pdeathsig', 'KILL', '--', process.execPath, join(repository, program)];
    const child = spawn('setpriv', words, {
      env: {
        KUBECONFIG: kubeconfig,
        HEADGATE_RUNTIME_IMAGE: RUNTIME_IMAGE,
        HEADGATE_HEALTH_PORT: String(healthPort),
        HEADGATE_TRAFFIC_POLICY: EVERYTHING_ALLOWED,
        HEADGATE_LEASE: 'headgate-system/headgate',
        // A test that kills an operator waits for so long; one that is only slow must keep it.
        HEADGATE_LEASE_SECONDS: '4',
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new OperatorProcess(child, healthPort);
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the operator was never started');
    return this.child.pid;
  }

  async ready(): Promise<void> {
    await waitFor('the operator becomes ready', async () => {
      if (!this.isRunning)
        throw new Error(`it has ended: ${JSON.stringify([...this.log, ...this.noise].slice(-3))}`);
      return (await this.ask('/readyz')).status === 200;
    });
  }

  /** Asks its health server. */
  async ask(path: string): Promise<{ readonly status: number; readonly body: string }> {
    const answer = await fetch(`${this.healthUrl}${path}`);
    return { status: answer.status, body: await answer.text() };
  }

  lines(message: string): readonly LogLine[] {
    return this.log.filter((line) => line.message === message);
  }

  /** Asks it to end, as the kubelet does, and tells how and how soon it did. */
  async terminate(): Promise<Ending> {
    return await this.end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  private async end(signal: NodeJS.Signals): Promise<Ending> {
    const startedAtMs = performance.now();
    if (this.isRunning) {
      const ended = once(this.child, 'exit');
      this.child.kill(signal);
      await ended;
    }
    return { code: this.child.exitCode, afterMs: performance.now() - startedAtMs };
  }

  private hear(line: string): void {
    try {
      this.log.push(JSON.parse(line) as LogLine);
    } catch {
      this.noise.push(line);
    }
  }
}
