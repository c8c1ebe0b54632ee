import { setTimeout as rest } from 'node:timers/promises';
import type { KubernetesObject } from './object.ts';
import { isNotFound } from './errors.ts';
import { collectionPath, type ResourceType } from './resource-type.ts';
import type { Change, ObjectStore } from './object-store.ts';
import { SilenceError, type Transport } from './transport.ts';
import { parseWatchLine, toWatchError } from './watch-line.ts';

/** Makes of what the API server sent an object that names its own kind, as the items of a list do not. */
export type Trim = (type: ResourceType, raw: unknown) => KubernetesObject;

export interface ListWatchOptions {
  readonly transport: Transport;
  readonly type: ResourceType;
  readonly store: ObjectStore;
  /** Reduces an object to what is worth keeping, before it enters the store. */
  readonly trim: Trim;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly onChange: (change: Change) => void;
  /** A kind began or ceased to be served. */
  readonly onServed?: (type: ResourceType, served: boolean) => void;
  /** The watch broke and begins again with a new list. */
  readonly onTrouble?: (type: ResourceType, error: unknown) => void;
  readonly timing?: Partial<ListWatchTiming>;
}

export interface ListWatchTiming {
  /** How long the server keeps one watch; each takes up to twice that, so that not all end at once. */
  readonly watchSeconds: number;
  /**
   * Longer than the minute between two bookmarks: a watch that is silent for so long is given up for another on a new
   * connection. It may have been well, since an API server that has seen no event of a kind yet sends no bookmarks.
   */
  readonly idleMs: number;
  readonly firstBackoffMs: number;
  readonly lastBackoffMs: number;
  /** A kind whose definition is not installed is asked for this often. */
  readonly missingMs: number;
}

const usualTiming: ListWatchTiming = {
  watchSeconds: 300,
  idleMs: 90_000,
  firstBackoffMs: 100,
  lastBackoffMs: 10_000,
  missingMs: 3_000,
};

const PAGE_SIZE = 500;
/** A watch that ends sooner without a word is trouble, or a server that refuses would be asked in a tight circle. */
const SHORTEST_WATCH_MS = 1_000;

interface ListPage {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly unknown[] | null;
}

/**
 * Keeps a store equal to what the API server has of one kind: a list, then a watch from there, and whatever goes
 * wrong, the same again after a pause.
 */
export class ListWatch {
  private readonly options: ListWatchOptions;
  private readonly timing: ListWatchTiming;
  private readonly stopping = new AbortController();
  private readonly firstAnswer: Promise<void>;
  private settleFirstAnswer: () => void = () => undefined;
  private failures = 0;
  private running: Promise<void> | undefined;
  private served: boolean | undefined;

  constructor(options: ListWatchOptions) {
    this.options = options;
    this.timing = { ...usualTiming, ...options.timing };
    this.firstAnswer = new Promise((resolve) => {
      this.settleFirstAnswer = resolve;
    });
  }

  /** Undefined until the first answer. */
  get isServed(): boolean | undefined {
    return this.served;
  }

  /** Settled once the store holds the first list, or the kind is known to be missing. */
  get synced(): Promise<void> {
    return this.firstAnswer;
  }

  start(): void {
    this.running ??= this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        let version = await this.list();
        for (;;) version = await this.watch(version);
      } catch (error) {
        await this.recover(error);
      }
    }
  }

  private async list(): Promise<string> {
    const objects: KubernetesObject[] = [];
    let page: ListPage | undefined;
    do {
      page = await this.listPage(page?.metadata.continue);
      objects.push(...(page.items ?? []).map((item) => this.options.trim(this.options.type, item)));
    } while ((page.metadata.continue ?? '') !== '');
    const version = page.metadata.resourceVersion;
    this.publish(this.options.store.replace(objects, version));
    this.setServed(true);
    return version;
  }

  private async listPage(continueToken = ''): Promise<ListPage> {
    const query = {
      ...this.selection(),
      limit: String(PAGE_SIZE),
      ...(continueToken === '' ? {} : { continue: continueToken }),
    };
    return (await this.options.transport.request({ method: 'GET', path: this.path(), query })) as ListPage;
  }

  /** One watch, until the server ends it in good order or says nothing more; returns the version to go on from. */
  private async watch(fromVersion: string): Promise<string> {
    const startedAtMs = performance.now();
    let version = fromVersion;
    try {
      for await (const line of this.watchLines(fromVersion)) {
        version = this.hear(line);
        this.failures = 0;
      }
    } catch (error) {
      if (error instanceof SilenceError) return version;
      throw error;
    }
    const isTooShort = version === fromVersion && performance.now() - startedAtMs < SHORTEST_WATCH_MS;
    if (isTooShort) throw new Error('the watch ended at once');
    return version;
  }

  private watchLines(fromVersion: string): AsyncGenerator<string, void, undefined> {
    const { idleMs, watchSeconds } = this.timing;
    const query = {
      ...this.selection(),
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: fromVersion,
      timeoutSeconds: String(Math.round(watchSeconds * (1 + Math.random()))),
    };
    const { signal } = this.stopping;
    return this.options.transport.lines({ method: 'GET', path: this.path(), query }, { idleMs, signal });
  }

  /** Takes in one line of a watch; throws when it is not one that leads on. */
  private hear(line: string): string {
    const { type, object } = parseWatchLine(line);
    const { store, trim, type: resourceType } = this.options;
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
        this.publish([store.put(trim(resourceType, object))]);
        break;
      case 'DELETED':
        this.publish([store.drop(trim(resourceType, object))]);
        break;
      case 'BOOKMARK':
        store.heard(object.metadata.resourceVersion);
        break;
      case 'ERROR':
        throw toWatchError(object);
      default:
        throw new Error(`a watch line of unknown type ${type}`);
    }
    return object.metadata.resourceVersion;
  }

  private async recover(error: unknown): Promise<void> {
    if (this.stopping.signal.aborted) return;
    if (isNotFound(error)) {
      this.publish(this.options.store.clear());
      this.setServed(false);
      await this.pause(this.timing.missingMs);
      return;
    }
    this.report(error);
    const ceilingMs = Math.min(this.timing.firstBackoffMs * 2 ** this.failures, this.timing.lastBackoffMs);
    this.failures += 1;
    await this.pause(ceilingMs * (0.5 + Math.random() / 2));
  }

  private async pause(delayMs: number): Promise<void> {
    await rest(delayMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }

  private setServed(served: boolean): void {
    const hasChanged = this.served !== served;
    this.served = served;
    this.settleFirstAnswer();
    if (hasChanged) this.notify(() => this.options.onServed?.(this.options.type, served));
  }

  private publish(changes: readonly (Change | undefined)[]): void {
    for (const change of changes) {
      if (change !== undefined) this.notify(() => this.options.onChange(change));
    }
  }

  /** What listeners do wrong is theirs: the store is right already and the watch goes on. */
  private notify(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.report(error);
    }
  }

  private report(error: unknown): void {
    try {
      this.options.onTrouble?.(this.options.type, error);
    } catch {
      // Whoever cannot even be told of trouble must not stop the watch.
    }
  }

  private path(): string {
    return collectionPath(this.options.type, this.options.namespace);
  }

  private selection(): Record<string, string> {
    const { labelSelector } = this.options;
    return labelSelector === undefined ? {} : { labelSelector };
  }
}
