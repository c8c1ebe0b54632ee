import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { HopelessError } from './wait.ts';

/** A program that lives no longer than the process that started it. */
export class BoundProgram {
  readonly name: string;
  private readonly logFile: string;
  private readonly child: ChildProcess;

  constructor(program: string, args: readonly string[], options: { name: string; logFile: string }) {
    this.name = options.name;
    this.logFile = options.logFile;
    const log = openSync(options.logFile, 'a');
    // The kernel ends it with its parent, however the parent dies.
    this.child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args], {
      stdio: ['ignore', log, log],
      detached: true,
    });
    closeSync(log);
    this.child.unref();
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** For use inside a wait: there is no sense in waiting for a program that has ended. */
  assertRunning(): void {
    if (this.child.exitCode === null && this.child.signalCode === null) return;
    const tail = readFileSync(this.logFile, 'utf8').trim().split('\n').slice(-15).join('\n');
    throw new HopelessError(`${this.name} has ended by itself: ${tail}`);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.ref();
    this.child.kill('SIGKILL');
    await ended;
  }
}

/** Removes a folder when this process ends, however it ends; the returned function does so at once. */
export function removeWithParent(folder: string): () => Promise<void> {
  const guard = spawn('sh', ['-c', 'cat >/dev/null; until rm -rf "$0"; do sleep 0.1; done', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.unref();
  const { stdin } = guard;
  // A pipe is a socket for Node; unref keeps it from holding a finished test process open.
  if (stdin instanceof Socket) stdin.unref();
  return async () => {
    const ended = once(guard, 'exit');
    guard.ref();
    stdin.end();
    await ended;
  };
}
