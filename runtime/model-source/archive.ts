import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough, Readable, Transform, Writable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { createTarDecoder, type ParsedTarEntry } from 'modern-tar';
import { StartFailure } from '../errors.ts';
import { GOLDEN_FILE, GOLDEN_FOLDER } from '../golden/golden-data.ts';
import { checkSize } from './download.ts';
import type { LocalModel } from './model-source.ts';

/** How compressed files begin. */
const compressions: readonly { readonly magic: string; readonly decompress: () => Duplex }[] = [
  { magic: '1f8b', decompress: () => createGunzip() },
  { magic: '28b52ffd', decompress: () => createZstdDecompress() },
];

export interface Archive {
  /** For messages. */
  readonly name: string;
  readonly path: string;
  /** Of everything in it, unpacked. */
  readonly maxBytes: number;
}

/** Takes the one ONNX file, and the golden data for it, out of a tar archive, and refuses archives that hold anything but files and folders. */
export async function extractModel(archive: Archive, modelPath: string): Promise<LocalModel> {
  const partialPath = `${modelPath}.partial`;
  const handle = await open(partialPath, 'w');
  try {
    const digest = await findModel(archive, modelPath, handle);
    await handle.sync();
    await rename(partialPath, modelPath);
    return { path: modelPath, digest };
  } catch (error) {
    await rm(partialPath, { force: true });
    throw error instanceof StartFailure ? error : asRefusal(archive, error);
  } finally {
    await handle.close();
  }
}

async function findModel(archive: Archive, modelPath: string, handle: FileHandle): Promise<string> {
  const decoder = createTarDecoder({ strict: true });
  const unpacked = pipeline(
    createReadStream(archive.path),
    await decompressorOf(archive.path),
    sizeLimit(archive),
    Writable.fromWeb(decoder.writable),
  );
  // Looked at below; a failure of it may come before anybody waits for it.
  unpacked.catch(() => undefined);
  let digest: string | undefined;
  for await (const entry of decoder.readable) {
    checkEntry(archive, entry);
    if (isModel(entry) && digest !== undefined) refuse(archive, 'it holds more than one ONNX file');
    const goldenPath = placeOfGolden(entry, path.dirname(modelPath));
    if (isModel(entry)) digest = await copy(entry, handle);
    else if (goldenPath !== undefined) await keep(entry, goldenPath);
    else await drain(entry);
  }
  await unpacked;
  return digest ?? refuse(archive, 'it holds no file that ends in .onnx');
}

async function decompressorOf(file: string): Promise<Duplex> {
  const handle = await open(file);
  const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
  await handle.close();
  const beginning = buffer.toString('hex');
  const known = compressions.find(({ magic }) => beginning.startsWith(magic));
  return known?.decompress() ?? new PassThrough();
}

/** A few compressed bytes can be many. */
function sizeLimit({ name, maxBytes }: Archive): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      try {
        checkSize(`what is packed in ${name}`, bytes, maxBytes);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
}

function checkEntry(archive: Archive, { header }: ParsedTarEntry): void {
  const { name, type = 'file' } = header;
  if (type !== 'file' && type !== 'directory') refuse(archive, `${JSON.stringify(name)} in it is a ${type}`);
  if (path.posix.isAbsolute(name) || name.split(/[/\\]/u).includes('..')) {
    refuse(archive, `${JSON.stringify(name)} in it leads out of it`);
  }
}

/** Hidden files, such as those that macOS puts beside each file, are none. */
function isModel({ header: { name, type = 'file' } }: ParsedTarEntry): boolean {
  return type === 'file' && /(^|[/])[^./][^/]*[.]onnx$/u.test(name);
}

/** Golden data keep their names and lose the folders above them; undefined for everything else. */
function placeOfGolden(
  { header: { name, type = 'file' } }: ParsedTarEntry,
  folder: string,
): string | undefined {
  const [set = '', file = ''] = name.split('/').slice(-2);
  const isGolden = type === 'file' && GOLDEN_FOLDER.test(set) && GOLDEN_FILE.test(file);
  return isGolden ? path.join(folder, set, file) : undefined;
}

async function keep({ body }: ParsedTarEntry, file: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await pipeline(Readable.fromWeb(body), createWriteStream(file));
}

async function copy({ body }: ParsedTarEntry, handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of Readable.fromWeb(body)) {
    hash.update(chunk as Buffer);
    await handle.appendFile(chunk as Buffer);
  }
  return hash.digest('hex');
}

/** Reads to the end: a body that is cancelled can stall this decoder. */
async function drain({ body }: ParsedTarEntry): Promise<void> {
  const reader = body.getReader();
  while (!(await reader.read()).done);
}

function refuse({ name }: Archive, problem: string): never {
  throw new StartFailure(
    'ModelInvalid',
    `the archive ${name} is refused: ${problem}; pack one ONNX file, without links`,
  );
}

function asRefusal({ name }: Archive, cause: unknown): StartFailure {
  const { message } = cause as Error;
  return new StartFailure('ModelInvalid', `the archive ${name} cannot be read: ${message}`, { cause });
}
