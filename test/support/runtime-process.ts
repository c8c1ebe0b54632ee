import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { exampleModelUri } from './example-models.ts';
import { runtimeEnvironment, runtimeNodeOptions } from './runtime-image.ts';

const entryPoint = fileURLToPath(new URL('../../runtime/main.ts', import.meta.url));

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly bytes: Buffer;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly agent?: Agent;
}

/** One line of the server's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly message: string };

/** The real server as a process of its own, as the image starts it, on ports that the kernel chooses. */
export class RuntimeProcess {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'headgate-runtime-'));
  readonly #agent = new Agent({ keepAlive: true });
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  #log = '';

  constructor(environment: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [...runtimeNodeOptions(), entryPoint], {
      env: {
        ...runtimeEnvironment(),
        PATH: process.env['PATH'],
        HEADGATE_MODEL_URI: exampleModelUri('v1.onnx'),
        HEADGATE_MODEL_NAME: 'tumour',
        HEADGATE_REVISION: 'tumour-7cb4d9f2a1',
        HEADGATE_PORT: '0',
        HEADGATE_GRPC_PORT: '0',
        HEADGATE_MANAGEMENT_PORT: '0',
        HEADGATE_DRAIN_SECONDS: '0',
        // The servers of tests are on this machine.
        HEADGATE_MODEL_SOURCES_ALLOW: '127.0.0.0/8',
        HEADGATE_DOWNLOAD_DIRECTORY: this.#folder,
        HEADGATE_TERMINATION_LOG: this.#lastWordsPath,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const read = (chunk: Buffer): void => {
      this.#log += chunk.toString();
    };
    this.#child.stdout?.on('data', read);
    this.#child.stderr?.on('data', read);
    this.#exited = once(this.#child, 'exit').then(([code]) => code as number | null);
  }

  static async start(environment: Readonly<Record<string, string>> = {}): Promise<RuntimeProcess> {
    const runtime = new RuntimeProcess(environment);
    await runtime.untilReady();
    return runtime;
  }

  get #lastWordsPath(): string {
    return path.join(this.#folder, 'termination-log');
  }

  get log(): LogLine[] {
    return this.#log
      .trim()
      .split('\n')
      .map((line) => {
        if (!line.startsWith('{'))
          throw new Error(`what the runtime says is no line of its log: ${this.#log.slice(-4000)}`);
        return JSON.parse(line) as LogLine;
      });
  }

  get port(): number {
    return this.#listening('port');
  }

  get grpcPort(): number {
    return this.#listening('grpcPort');
  }

  get managementPort(): number {
    return this.#listening('managementPort');
  }

  get processId(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('the runtime has not started');
    return pid;
  }

  /** The executor's process of the latest start. */
  get executorProcessId(): number {
    const ready = this.log.filter(({ executorProcessId }) => executorProcessId !== undefined);
    return ready.at(-1)?.['executorProcessId'] as number;
  }

  /** What the kubelet would put into the pod's status. */
  get lastWords(): { readonly reason: string; readonly message: string } | undefined {
    if (!existsSync(this.#lastWordsPath)) return undefined;
    return JSON.parse(readFileSync(this.#lastWordsPath, 'utf8')) as { reason: string; message: string };
  }

  async untilReady(): Promise<void> {
    // A connection that breaks is one to a process that ends, whose log says more.
    const isReady = (): Promise<boolean> =>
      this.askManagement('/readyz').then(
        ({ status }) => status === 200,
        () => false,
      );
    await this.until('ready', isReady);
  }

  /** Asks again and again until the answer is yes, or the process has ended, or a minute is over. */
  async until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
    const deadline = performance.now() + 60_000;
    while (performance.now() < deadline && this.#child.exitCode === null) {
      if (this.#log.includes('managementPort') && (await isSo())) return;
      await pause(10);
    }
    throw new Error(`the runtime is not ${what}:\n${this.#log}`);
  }

  ask(address: string, options: Ask = {}): Promise<Answer> {
    return this.#ask(this.port, address, options);
  }

  askManagement(address: string, options: Ask = {}): Promise<Answer> {
    return this.#ask(this.managementPort, address, options);
  }

  infer(body: string | Buffer, options: Ask = {}): Promise<Answer> {
    return this.ask('/v2/models/tumour/infer', { method: 'POST', body, ...options });
  }

  /** As when whatever collects the logs hangs. */
  stopReading(): void {
    this.#child.stdout?.pause();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The exit code, once the process has ended by itself or by a signal of the test. */
  exitCode(): Promise<number | null> {
    return this.#exited;
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    this.#child.kill('SIGKILL');
    await this.#exited;
    rmSync(this.#folder, { recursive: true });
  }

  #listening(port: 'port' | 'grpcPort' | 'managementPort'): number {
    return this.log.find(({ message }) => message === 'listening')?.[port] as number;
  }

  #ask(port: number, address: string, options: Ask): Promise<Answer> {
    const { method = 'GET', headers = {}, body, agent = this.#agent } = options;
    const contentLength = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const asked = request({
        port,
        path: address,
        method,
        agent,
        headers: { ...contentLength, ...headers },
      });
      asked.once('error', reject);
      asked.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const bytes = Buffer.concat(chunks);
          const { statusCode: status = 0, headers } = response;
          resolve({ status, headers, text: bytes.toString(), bytes });
        });
      });
      asked.end(body);
    });
  }
}
