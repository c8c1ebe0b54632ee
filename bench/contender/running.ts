import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { silence } from '../../runtime/executor/silence.ts';
import { freePort } from '../../test/bed/free-port.ts';
import type { Client } from '../load/client.ts';
import { probe } from '../load/probe.ts';
import type { BenchModel } from '../models/models.ts';
import type { Outputs, Wire, WireName } from '../wire/wire.ts';
import type { Contender } from './contender.ts';
import { cpuMs, memoryMib, processTree, signalAll } from './process-tree.ts';

const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 8000;
/** Servers may tell what went wrong at the end of a long log. */
const LAST_WORDS_BYTES = 2000;

interface Ports {
  readonly http: number;
  readonly grpc: number;
}

/** A server of the race with one model, on the cores that it may use. It stands still unless it is measured. */
export class RunningContender {
  readonly name: string;
  /** From the start of the process to the first answer. */
  firstAnswerMs = NaN;
  memoryAtRestMib = NaN;
  readonly #contender: Contender;
  readonly #model: BenchModel;
  readonly #child: ChildProcess;
  readonly #ports: Ports;
  readonly #folder: string;

  private constructor(parts: {
    readonly contender: Contender;
    readonly model: BenchModel;
    readonly child: ChildProcess;
    readonly ports: Ports;
    readonly folder: string;
  }) {
    this.name = parts.contender.name;
    this.#contender = parts.contender;
    this.#model = parts.model;
    this.#child = parts.child;
    this.#ports = parts.ports;
    this.#folder = parts.folder;
  }

  /** Rejects with the server's last words when it does not answer. */
  static async start(contender: Contender, model: BenchModel, cpus: string): Promise<RunningContender> {
    const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-'));
    const ports = { http: await freePort(), grpc: await freePort() };
    const launch = await contender.prepare({
      ...{ modelFile: model.file, modelName: model.name, folder },
      ...{ httpPort: ports.http, grpcPort: ports.grpc, metricsPort: await freePort() },
    });
    const log = openSync(join(folder, 'output.log'), 'w');
    const startedAtMs = performance.now();
    const child = spawn('taskset', ['-c', cpus, launch.command, ...launch.arguments], {
      cwd: folder,
      // Threads that report to somebody are no part of what is measured.
      env: { ...launch.environment, ...silence },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const running = new RunningContender({ contender, model, child, ports, folder });
    try {
      await running.#untilItAnswers();
    } catch (error) {
      await running.stop();
      throw error;
    }
    running.firstAnswerMs = performance.now() - startedAtMs;
    running.memoryAtRestMib = memoryMib(running.#tree);
    return running;
  }

  get #tree(): number[] {
    return this.#child.pid === undefined ? [] : processTree(this.#child.pid);
  }

  get wireNames(): readonly WireName[] {
    return Object.keys(this.#contender.wires) as WireName[];
  }

  wire(name: WireName, timeoutUs?: number): Wire | undefined {
    const { name: modelName, inputs } = this.#model;
    return this.#contender.wires[name]?.({ modelName, inputs, timeoutUs });
  }

  connect(name: WireName, wire: Wire): Client {
    return wire.connect(name === 'gRPC' ? this.#ports.grpc : this.#ports.http);
  }

  /** One question and its answer. */
  async answer(name: WireName): Promise<Outputs> {
    const wire = this.wire(name);
    if (wire === undefined) throw new Error(`${this.name} does not speak ${name}`);
    const client = this.connect(name, wire);
    try {
      const status = await client.ask();
      if (status !== 200) throw new Error(`status ${status}: ${client.body.toString('utf8', 0, 300)}`);
      return wire.decode(client);
    } finally {
      client.close();
    }
  }

  /** Asks again and again whether it is alive, as the kubelet would. Milliseconds for each answer. */
  probe(perSecond: number, seconds: number): Promise<number[]> {
    return probe({ port: this.#ports.http, path: this.#contender.probePath, perSecond, seconds });
  }

  /** Processor time so far, by process. */
  cpuMsByProcess(): ReadonlyMap<number, number> {
    return new Map(this.#tree.map((pid) => [pid, cpuMs(pid)]));
  }

  /** Processor time so far, of all processes. */
  cpuMs(): number {
    return [...this.cpuMsByProcess().values()].reduce((sum, spentMs) => sum + spentMs, 0);
  }

  /** Whoever is not measured must not use the core of who is. */
  pause(): void {
    signalAll(this.#tree, 'SIGSTOP');
  }

  resume(): void {
    signalAll(this.#tree, 'SIGCONT');
  }

  async stop(): Promise<void> {
    const tree = this.#tree;
    this.resume();
    const ended = this.#child.exitCode === null ? once(this.#child, 'exit') : Promise.resolve();
    this.#child.kill('SIGTERM');
    await Promise.race([ended, pause(STOP_LIMIT_MS)]);
    signalAll([...tree, ...this.#tree], 'SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #untilItAnswers(): Promise<void> {
    const deadlineMs = performance.now() + START_LIMIT_MS;
    let last = 'no answer';
    while (performance.now() < deadlineMs && this.#child.exitCode === null) {
      try {
        await this.answer('JSON');
        return;
      } catch (error) {
        last = (error as Error).message;
      }
      await pause(10);
    }
    const words = readFileSync(join(this.#folder, 'output.log'), 'utf8').slice(-LAST_WORDS_BYTES);
    throw new Error(`${this.name} does not answer (${last}):\n${words}`);
  }
}
