import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from './programs.ts';

/** An image as a file that containerd can import. */
export interface Image {
  readonly reference: string;
  readonly archive: string;
  readonly hash: string;
}

export interface ArchiveRequest {
  readonly reference: string;
  /** Of everything that the image is made from. */
  readonly hash: string;
  make(archive: string): Promise<void>;
}

export function contentHash(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
}

const underWay = new Map<string, Promise<Image>>();

/**
 * Makes an image unless its archive of the same inputs is in the cache; only the newest archive of a name is kept.
 * Who asks for one that is being made waits for that.
 */
export async function ensureArchive(request: ArchiveRequest): Promise<Image> {
  const key = `${request.reference} ${request.hash}`;
  const making = underWay.get(key) ?? makeArchive(request);
  underWay.set(key, making);
  try {
    return await making;
  } finally {
    underWay.delete(key);
  }
}

async function makeArchive(request: ArchiveRequest): Promise<Image> {
  const folder = join(cacheFolder, 'images');
  await mkdir(folder, { recursive: true });
  const prefix = `${request.reference.replaceAll(/[^a-z0-9.]+/g, '-')}-`;
  const archive = join(folder, `${prefix}${request.hash}.tar`);
  if (!existsSync(archive)) {
    await request.make(archive);
    const older = (await readdir(folder)).filter(
      (file) => file.startsWith(prefix) && !archive.endsWith(`/${file}`),
    );
    for (const file of older) await rm(join(folder, file), { force: true });
  }
  return { reference: request.reference, archive, hash: request.hash };
}

/** Names and contents of files and folders, in a fixed order. */
export async function hashOfPaths(root: string, paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of [...paths].sort()) await addPath(hash, root, path);
  return hash.digest('hex').slice(0, 16);
}

const neverPartOfAnImage = new Set(['node_modules', 'dist', '.git', '.cache']);

async function addPath(hash: ReturnType<typeof createHash>, root: string, path: string): Promise<void> {
  const full = join(root, path);
  if (!existsSync(full)) throw new Error(`the Dockerfile copies ${path}, which is not there yet`);
  if ((await stat(full)).isDirectory()) {
    for (const entry of (await readdir(full)).sort()) {
      if (!neverPartOfAnImage.has(entry)) await addPath(hash, root, join(path, entry));
    }
    return;
  }
  hash.update(`${path}\0`).update(await readFile(full));
}
