import { execFile } from 'node:child_process';

export interface RunOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** What it says beside its output comes behind it. */
  readonly withErrorOutput?: boolean;
}

/** Runs a program to its end and returns what it printed; a failure carries what the program said about it. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      program,
      [...args],
      {
        maxBuffer: 256 * 1024 * 1024,
        env: { ...process.env, ...options.env },
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
      },
      (error, stdout, stderr) => {
        if (error === null) {
          resolve(options.withErrorOutput === true ? stdout + stderr : stdout);
          return;
        }
        const said = `${stderr}${stdout}`.trim().split('\n').slice(-30).join('\n');
        reject(new Error(`${program} ${args.slice(0, 8).join(' ')} failed: ${said}`, { cause: error }));
      },
    );
    // The program may end before it has read its input; its own failure is then the news.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}

/** True when the program ends well; for questions, not for work. */
export async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  try {
    await run(program, args);
    return true;
  } catch {
    return false;
  }
}
