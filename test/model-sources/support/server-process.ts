import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { HopelessError, waitFor } from '../../bed/wait.ts';

/** A server of somebody else's, as a process of its own. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #log = '';

  constructor(program: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(program, [...args], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#exited = once(this.#child, 'exit');
    const read = (chunk: Buffer): void => {
      this.#log += chunk.toString();
    };
    this.#child.stdout?.on('data', read);
    this.#child.stderr?.on('data', read);
  }

  get log(): string {
    return this.#log;
  }

  /** Until it answers, whatever it says. */
  async untilItAnswers(url: string): Promise<void> {
    await waitFor(
      `an answer of ${url}`,
      async () => {
        if (this.#child.exitCode !== null) throw new HopelessError(this.#log);
        return (await fetch(url, { signal: AbortSignal.timeout(5_000) })).status > 0;
      },
      { timeoutMs: 90_000 },
    );
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }
}
