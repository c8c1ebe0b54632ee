import { createReadStream } from 'node:fs';
import { open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';

export const CURRENT_FILE = 'records.jsonl';
export const CLOSED_FILE = /^records-\d+\.jsonl$/u;
export const RECORD_FILE = /^records(?:-\d+)?\.jsonl$/u;
/** What an erasure that was cut off has left. */
export const UNFINISHED_FILE = /^records(?:-\d+)?\.jsonl\.rest$/u;

/** How every line begins, as record.ts writes it. */
const REQUEST_ID = /^\{"type":"[a-z]+","time":"[^"]*","requestId":"((?:[^"\\]|\\.)*)"/u;
const TIME = /^\{"type":"[a-z]+","time":"([^"]+)"/u;
const BEGINNING_BYTES = 128;

/** Paths in the order of their names; none where the folder is not there. */
export async function listFiles(folder: string, form: RegExp): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter((name) => form.test(name))
    .toSorted()
    .map((name) => path.join(folder, name));
}

/**
 * The time of the first line, in milliseconds since 1970; Infinity for a file that is not there or empty. Not every
 * file system knows when a file was made.
 */
export async function firstTimeOf(file: string): Promise<number> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return Infinity;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(BEGINNING_BYTES), 0, BEGINNING_BYTES, 0);
    if (bytesRead === 0) return Infinity;
    const time = Date.parse(TIME.exec(buffer.toString('latin1', 0, bytesRead))?.[1] ?? '');
    // What is none of our lines is not to be kept for ever.
    return Number.isNaN(time) ? -Infinity : time;
  } finally {
    await handle.close();
  }
}

/**
 * Takes every line about one of these requests out of a file that nobody writes to; tells how many there were. Writes
 * what stays beside the file and puts it in its place, so that a crash leaves one or the other whole.
 */
export async function eraseFrom(file: string, requestIds: ReadonlySet<string>): Promise<number> {
  const rest = `${file}.rest`;
  const handle = await open(rest, 'w', 0o600);
  let erased = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      if (requestIds.has(requestIdOf(line))) erased++;
      else await handle.write(`${line}\n`);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (erased === 0) {
    await rm(rest);
    return 0;
  }
  // What stays is as old as it was.
  const { atime, mtime } = await stat(file);
  await utimes(rest, atime, mtime);
  await rename(rest, file);
  return erased;
}

function requestIdOf(line: string): string {
  const quoted = REQUEST_ID.exec(line)?.[1];
  return quoted === undefined ? '' : (JSON.parse(`"${quoted}"`) as string);
}
