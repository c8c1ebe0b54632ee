import { createReadStream } from 'node:fs';
import { appendFile, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Sink } from '../../outbox/outbox.ts';
import { toLine, type DecisionRecord } from '../record.ts';
import type { FileSinkSettings } from '../settings.ts';

const CURRENT = 'records.jsonl';
const CLOSED = /^records-\d+\.jsonl$/u;
const SWEEP_MS = 60_000;
/** How every line begins, as record.ts writes it. */
const REQUEST_ID = /^\{"type":"[a-z]+","time":"[^"]*","requestId":"((?:[^"\\]|\\.)*)"/u;

/**
 * Records as lines of a file, which is closed when it is full: records.jsonl is written to, records-NNN.jsonl are closed,
 * the highest number the youngest. The number of files and their age bound what is kept.
 */
export class FileSink implements Sink<DecisionRecord> {
  readonly #settings: FileSinkSettings;
  readonly #sweeper: NodeJS.Timeout;
  /** Whatever touches the files does so alone. */
  #turn: Promise<unknown> = Promise.resolve();
  #currentBytes: number | undefined;

  constructor(settings: FileSinkSettings) {
    this.#settings = settings;
    // A failed sweep is tried again a minute later.
    this.#sweeper = setInterval(() => void this.sweep(Date.now()).catch(() => undefined), SWEEP_MS);
    this.#sweeper.unref();
  }

  write(records: readonly DecisionRecord[]): Promise<void> {
    return this.#alone(() => this.#append(records));
  }

  /** Takes every line about one of these requests out of all files; tells how many there were. */
  erase(requestIds: ReadonlySet<string>): Promise<number> {
    return this.#alone(async () => {
      let erased = 0;
      for (const file of await this.#list(/^records(?:-\d+)?\.jsonl$/u)) {
        erased += await this.#eraseFrom(file, requestIds);
      }
      this.#currentBytes = undefined;
      return erased;
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await this.#turn;
  }

  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  get #currentPath(): string {
    return path.join(this.#settings.directory, CURRENT);
  }

  async #append(records: readonly DecisionRecord[]): Promise<void> {
    const text = Buffer.from(records.map((record) => `${toLine(record)}\n`).join(''));
    if (this.#currentBytes === undefined) {
      await mkdir(this.#settings.directory, { recursive: true });
      this.#currentBytes = await sizeOf(this.#currentPath);
    }
    if (this.#currentBytes > 0 && this.#currentBytes + text.length > this.#settings.maxBytes)
      await this.#rotate();
    await appendFile(this.#currentPath, text, { mode: 0o600 });
    this.#currentBytes += text.length;
  }

  async #rotate(): Promise<void> {
    const closed = await this.#list(CLOSED);
    const last = Number(/\d+/u.exec(path.basename(closed.at(-1) ?? ''))?.[0] ?? 0);
    const next = `records-${String(last + 1).padStart(8, '0')}.jsonl`;
    await rename(this.#currentPath, path.join(this.#settings.directory, next));
    this.#currentBytes = 0;
    // One of the files is the current one.
    const surplus = closed.length + 1 - (this.#settings.maxFiles - 1);
    for (const file of closed.slice(0, Math.max(0, surplus))) await rm(file, { force: true });
  }

  /** What is older than the maximum is gone after this. */
  sweep(nowEpochMs: number): Promise<void> {
    return this.#alone(async () => {
      const { maxAgeMs } = this.#settings;
      if (maxAgeMs === undefined) return;
      if ((await bornAt(this.#currentPath)) < nowEpochMs - this.#spanMs(maxAgeMs)) await this.#rotate();
      // The last line of a closed file is at most this much younger than its first.
      const oldestEnd = nowEpochMs - maxAgeMs + this.#spanMs(maxAgeMs);
      for (const file of await this.#list(CLOSED)) {
        if ((await stat(file)).mtimeMs < oldestEnd) await rm(file, { force: true });
      }
    });
  }

  /** For how long a file is written to where age matters, so that all of them together hold the maximum. */
  #spanMs(maxAgeMs: number): number {
    return maxAgeMs / this.#settings.maxFiles;
  }

  /** Oldest first. */
  async #list(form: RegExp): Promise<string[]> {
    const names = await readdir(this.#settings.directory).catch(() => []);
    return names
      .filter((name) => form.test(name))
      .toSorted()
      .map((name) => path.join(this.#settings.directory, name));
  }

  /** Writes what stays beside the file and puts it in its place, so that a crash leaves one or the other whole. */
  async #eraseFrom(file: string, requestIds: ReadonlySet<string>): Promise<number> {
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
    if (erased > 0) await rename(rest, file);
    else await rm(rest);
    return erased;
  }
}

function requestIdOf(line: string): string {
  const quoted = REQUEST_ID.exec(line)?.[1];
  return quoted === undefined ? '' : (JSON.parse(`"${quoted}"`) as string);
}

/** Infinity for a file that is not there. */
async function bornAt(file: string): Promise<number> {
  try {
    return (await stat(file)).birthtimeMs;
  } catch {
    return Infinity;
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch {
    return 0;
  }
}
