import { readdir, rename, rm, rmdir, stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { listFiles } from './record-files.ts';

/** Ten times as long as a pod that lives takes to touch its folder again. */
const ABANDONED_MS = 600_000;
/** Between the parts of a folder's name; no pod has it in its own. */
const SEPARATOR = '+';

/**
 * The folders of all pods of a model, side by side on one volume. A pod writes into its own alone, `POD`, and touches it
 * while it lives. Of a pod that is gone the folder is still to be tidied: whoever renames it to `HEIR+POD+TIME` has it
 * for itself, since of all renames one succeeds.
 */
export class PodFolders {
  readonly #parent: string;
  readonly #pod: string;

  constructor(parent: string, pod: string) {
    this.#parent = parent;
    this.#pod = pod;
  }

  /** Shows other pods that this one lives. */
  async touch(nowEpochMs: number): Promise<void> {
    const now = new Date(nowEpochMs);
    const mine = (await this.#list()).filter((name) => this.#isMine(name));
    for (const name of mine) await utimes(this.#pathOf(name), now, now);
  }

  /** Removes what was last written to before, where no pod does it for itself. */
  async removeOld(nowEpochMs: number, maxAgeMs: number): Promise<void> {
    for (const name of await this.#list()) {
      if (name === this.#pod) continue;
      if (this.#isMine(name) || (await this.#isAbandoned(name, nowEpochMs)))
        await removeOldFiles(this.#pathOf(name), nowEpochMs - maxAgeMs);
    }
  }

  /** The folders of pods that are gone, for this pod alone from now on, and the pods that have the others. */
  async adopt(nowEpochMs: number): Promise<{ readonly folders: string[]; readonly otherPods: string[] }> {
    const folders: string[] = [];
    const otherPods = new Set<string>();
    for (const name of await this.#list()) {
      if (name === this.#pod) continue;
      const folder = this.#isMine(name) ? this.#pathOf(name) : await this.#take(name, nowEpochMs);
      if (folder === undefined) otherPods.add(partsOf(name).owner);
      else folders.push(folder);
    }
    return { folders, otherPods: [...otherPods] };
  }

  /** Undefined: another pod has it. */
  async #take(name: string, nowEpochMs: number): Promise<string | undefined> {
    if (!(await this.#isAbandoned(name, nowEpochMs))) return undefined;
    const mine = this.#pathOf([this.#pod, partsOf(name).writer, nowEpochMs].join(SEPARATOR));
    try {
      await rename(this.#pathOf(name), mine);
      const now = new Date(nowEpochMs);
      await utimes(mine, now, now);
      return mine;
    } catch {
      return undefined;
    }
  }

  #isMine(name: string): boolean {
    return partsOf(name).owner === this.#pod;
  }

  async #isAbandoned(name: string, nowEpochMs: number): Promise<boolean> {
    const { mtimeMs } = await stat(this.#pathOf(name)).catch(() => ({ mtimeMs: Infinity }));
    return mtimeMs < nowEpochMs - ABANDONED_MS;
  }

  #pathOf(name: string): string {
    return path.join(this.#parent, name);
  }

  async #list(): Promise<string[]> {
    const entries = await readdir(this.#parent, { withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  }
}

function partsOf(name: string): { readonly owner: string; readonly writer: string } {
  const [owner = name, writer = owner] = name.split(SEPARATOR);
  return { owner, writer };
}

async function removeOldFiles(folder: string, oldestEpochMs: number): Promise<void> {
  for (const file of await listFiles(folder, /^records/u)) {
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Infinity }));
    if (mtimeMs < oldestEpochMs) await rm(file, { force: true });
  }
  // It stays while something is in it.
  await rmdir(folder).catch(() => undefined);
}
