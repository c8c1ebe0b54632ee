import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Sink } from '../../outbox/outbox.ts';
import { toLine, type DecisionRecord } from '../record.ts';
import type { FileSinkSettings } from '../settings.ts';
import { PodFolders } from './pod-folders.ts';
import {
  CLOSED_FILE,
  CURRENT_FILE,
  eraseFrom,
  firstTimeOf,
  listFiles,
  RECORD_FILE,
  UNFINISHED_FILE,
} from './record-files.ts';

const SWEEP_MS = 60_000;

export interface Erasure {
  readonly erased: number;
  /** Which write to the same volume: each erases from its own folder. */
  readonly otherPods: readonly string[];
}

/**
 * Records as lines of a file, which is closed when it is full: records.jsonl is written to, records-NNN.jsonl are closed,
 * the highest number the youngest. The number of files and their age bound what is kept.
 */
export class FileSink implements Sink<DecisionRecord> {
  readonly #settings: FileSinkSettings;
  readonly #directory: string;
  /** Undefined: no other pod sees these files. */
  readonly #podFolders: PodFolders | undefined;
  readonly #sweeper: NodeJS.Timeout;
  /** Whatever touches the files does so alone. */
  #turn: Promise<unknown> = Promise.resolve();
  /** The file that is written to, and how long it is. */
  #current: { readonly handle: FileHandle; bytes: number } | undefined;

  constructor(settings: FileSinkSettings) {
    const { directory, pod } = settings;
    this.#settings = settings;
    this.#directory = pod === undefined ? directory : path.join(directory, pod);
    this.#podFolders = pod === undefined ? undefined : new PodFolders(directory, pod);
    // A failed sweep is tried again a minute later.
    this.#sweeper = setInterval(() => void this.sweep(Date.now()).catch(() => undefined), SWEEP_MS);
    this.#sweeper.unref();
  }

  write(records: readonly DecisionRecord[]): Promise<void> {
    return this.#alone(() => this.#append(records));
  }

  /** Takes every line about one of these requests out of all files that are not another pod's. */
  erase(requestIds: ReadonlySet<string>, nowEpochMs: number): Promise<Erasure> {
    return this.#alone(async () => {
      await this.#closeCurrent();
      const { folders = [], otherPods = [] } = (await this.#podFolders?.adopt(nowEpochMs)) ?? {};
      let erased = 0;
      for (const folder of [this.#directory, ...folders]) {
        for (const file of await listFiles(folder, RECORD_FILE)) erased += await eraseFrom(file, requestIds);
      }
      return { erased, otherPods };
    });
  }

  /** What is older than the maximum is gone after this. */
  sweep(nowEpochMs: number): Promise<void> {
    return this.#alone(async () => {
      // Whoever took this pod for gone has renamed its folder, with the open file in it.
      if (!(await isThere(this.#currentPath))) await this.#closeCurrent();
      await this.#podFolders?.touch(nowEpochMs);
      for (const file of await listFiles(this.#directory, UNFINISHED_FILE)) await rm(file, { force: true });
      const { maxAgeMs } = this.#settings;
      if (maxAgeMs === undefined) return;
      await this.#removeOld(nowEpochMs, maxAgeMs);
      await this.#podFolders?.removeOld(nowEpochMs, maxAgeMs);
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await this.#alone(() => this.#closeCurrent());
  }

  #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  get #currentPath(): string {
    return path.join(this.#directory, CURRENT_FILE);
  }

  async #append(records: readonly DecisionRecord[]): Promise<void> {
    const text = Buffer.from(records.map((record) => `${toLine(record)}\n`).join(''));
    const isTooLong = (bytes: number): boolean => bytes > 0 && bytes + text.length > this.#settings.maxBytes;
    if (isTooLong((await this.#open()).bytes)) await this.#rotate();
    const current = await this.#open();
    await current.handle.appendFile(text);
    current.bytes += text.length;
  }

  async #open(): Promise<{ readonly handle: FileHandle; bytes: number }> {
    if (this.#current !== undefined) return this.#current;
    await mkdir(this.#directory, { recursive: true });
    const handle = await open(this.#currentPath, 'a', 0o600);
    this.#current = { handle, bytes: (await handle.stat()).size };
    return this.#current;
  }

  async #closeCurrent(): Promise<void> {
    const { handle } = this.#current ?? {};
    this.#current = undefined;
    await handle?.close();
  }

  async #rotate(): Promise<void> {
    await this.#closeCurrent();
    const closed = await listFiles(this.#directory, CLOSED_FILE);
    const last = Number(/\d+/u.exec(path.basename(closed.at(-1) ?? ''))?.[0] ?? 0);
    const next = `records-${String(last + 1).padStart(8, '0')}.jsonl`;
    await rename(this.#currentPath, path.join(this.#directory, next));
    // One of the files is the current one.
    const surplus = closed.length + 1 - (this.#settings.maxFiles - 1);
    for (const file of closed.slice(0, Math.max(0, surplus))) await rm(file, { force: true });
  }

  async #removeOld(nowEpochMs: number, maxAgeMs: number): Promise<void> {
    // For so long a file is written to where age matters, so that all of them together hold the maximum.
    const spanMs = maxAgeMs / this.#settings.maxFiles;
    if ((await firstTimeOf(this.#currentPath)) < nowEpochMs - spanMs) await this.#rotate();
    // The last line of a closed file is at most this much younger than its first.
    const oldestEndEpochMs = nowEpochMs - maxAgeMs + spanMs;
    for (const file of await listFiles(this.#directory, CLOSED_FILE)) {
      if ((await stat(file)).mtimeMs < oldestEndEpochMs) await rm(file, { force: true });
    }
  }
}

async function isThere(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}
