import { execFile } from 'node:child_process';

/** What a program prints, whatever it ends with: a scanner that finds something says so by its exit code. */
export function runAnyway(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { maxBuffer: 256 * 1024 * 1024, env: { ...process.env, ...env } };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (stdout.trim() === '') reject(new Error(`${program} said nothing: ${stderr}`, { cause: error }));
      else resolve(stdout);
    });
  });
}
