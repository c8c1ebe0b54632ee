import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export const examplesFolder = join(import.meta.dirname, '../../examples');

/** A typical mistake; its leading comments say which field is refused and what the refusal has to say. */
export interface InvalidExample {
  readonly name: string;
  readonly path: string;
  readonly text: string;
  readonly field: string;
  readonly messages: readonly string[];
}

export async function invalidExamples(): Promise<InvalidExample[]> {
  const folder = join(examplesFolder, 'invalid');
  const names = (await readdir(folder)).sort();
  return Promise.all(names.map((name) => read(name, join(folder, name))));
}

async function read(name: string, path: string): Promise<InvalidExample> {
  const text = await readFile(path, 'utf8');
  const said = (word: string): string[] =>
    [...text.matchAll(new RegExp(`^# ${word}: (.+)$`, 'gm'))].map(([, value]) => value ?? '');
  const [field] = said('field');
  const messages = said('message');
  if (field === undefined || messages.length === 0) {
    throw new Error(`examples/invalid/${name} must begin with '# field: …' and '# message: …'`);
  }
  return { name, path, text, field, messages };
}
