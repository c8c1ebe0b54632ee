import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { silence } from '../../runtime/executor/silence.ts';
import type { Measured } from '../measure.ts';
import type { BenchModel } from '../models/models.ts';

const program = fileURLToPath(new URL('bare.ts', import.meta.url));

/** ONNX Runtime in a loop of its own, on the cores of the servers. */
export class BareLoop {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(model: BenchModel, cpus: string): Promise<BareLoop> {
    const child = spawn('taskset', ['-c', cpus, process.execPath, program, model.name], {
      env: { ...process.env, ...silence },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    await once(child, 'message');
    return new BareLoop(child);
  }

  async measure(durationMs: number): Promise<Measured> {
    this.#child.send(durationMs);
    const [measured] = (await once(this.#child, 'message')) as [Measured];
    return measured;
  }

  stop(): void {
    this.#child.kill();
  }
}
