import { readFileSync } from 'node:fs';

const LAST_LINE = /^ENTRYPOINT (\["node".*\])$/mu;

/** What the image of the runtime gives to Node before the program, so that tests and benchmarks run it as users do. */
export function runtimeNodeOptions(): readonly string[] {
  const dockerfile = readFileSync(new URL('../../runtime/Dockerfile', import.meta.url), 'utf8');
  const found = LAST_LINE.exec(dockerfile)?.[1];
  if (found === undefined) throw new Error('runtime/Dockerfile has no ENTRYPOINT of Node');
  const [, ...rest] = JSON.parse(found) as string[];
  return rest.slice(0, -1);
}
