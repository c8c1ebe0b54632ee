import { createHash } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { StartFailure } from '../errors.ts';
import type { LocalModel } from './model-source.ts';

const PIECE_BYTES = 2 ** 18;

/** Through one piece of memory: a stream takes new memory for each, as large as the model until V8 has a reason to collect. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  const handle = await open(file);
  try {
    const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    for (;;) {
      const { bytesRead } = await handle.read(piece);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(piece.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}

/** A path that ends in a slash is a folder, in which one ONNX file is looked for. */
export async function readLocalModel(place: string): Promise<LocalModel> {
  const file = place.endsWith('/') ? await onlyModelIn(place) : place;
  try {
    if (!(await stat(file)).isFile()) throw new Error('it is not a file');
    return { path: file, digest: await hashFile(file) };
  } catch (error) {
    throw notFound(`the model file ${file} cannot be read (${(error as Error).message})`, error);
  }
}

/** Links are not followed: the folder may be of an image that others made. */
async function onlyModelIn(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    throw notFound(`the folder ${folder} cannot be read (${(error as Error).message})`, error);
  });
  const [first, ...others] = entries.filter(
    (entry) => entry.isFile() && entry.name.endsWith('.onnx') && !entry.name.startsWith('.'),
  );
  if (first === undefined) throw notFound(`the folder ${folder} holds no file that ends in .onnx`);
  if (others.length === 0) return path.join(first.parentPath, first.name);
  throw new StartFailure(
    'ModelInvalid',
    `the folder ${folder} holds ${others.length + 1} files that end in .onnx, of which one has to be the model`,
  );
}

function notFound(problem: string, cause?: unknown): StartFailure {
  return new StartFailure('ModelNotFound', `${problem}; check the path and its permissions for user 65532`, {
    cause,
  });
}
