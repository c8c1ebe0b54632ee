import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from '../bed/layout.ts';

export interface Page {
  /** Path within the repository. */
  readonly path: string;
  readonly text: string;
}

/** Every page that is written for people: those at the top, and all of docs/. */
export async function readPages(): Promise<Page[]> {
  const top = (await readdir(repository)).filter((name) => name.endsWith('.md'));
  const docs = (await readdir(join(repository, 'docs'), { recursive: true }))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name));
  return await Promise.all(
    [...top, ...docs].map(async (path) => ({ path, text: await readFile(join(repository, path), 'utf8') })),
  );
}
