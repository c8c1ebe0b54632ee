import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface TextFile {
  readonly name: string;
  readonly text: string;
}

const STANDARD_INPUT = '-';

/** The files that are named, those with the ending of YAML in folders that are named, and standard input for `-`. */
export async function readManifests(paths: readonly string[]): Promise<readonly TextFile[]> {
  const names = (await Promise.all(paths.map(namesOf))).flat();
  return await Promise.all(names.map(async (name) => ({ name, text: await textOf(name) })));
}

async function namesOf(path: string): Promise<readonly string[]> {
  if (path === STANDARD_INPUT || !(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true });
  return entries
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .map((name) => join(path, name));
}

async function textOf(name: string): Promise<string> {
  return name === STANDARD_INPUT ? await text(process.stdin) : await readFile(name, 'utf8');
}
