import { setTimeout as rest } from 'node:timers/promises';
import { isNotFound, retryAfterOf } from './errors.ts';
import { usualTiming, type ListWatchTiming } from './list-watch-timing.ts';
import { Lister, type Listing } from './lister.ts';
import type { KubernetesObject } from './object.ts';
import type { Change, ObjectStore } from './object-store.ts';
import { collectionPath, type ResourceType } from './resource-type.ts';
import { RestorationDetector, RestoredError } from './restoration.ts';
import type { Transport } from './transport.ts';
import { parseWatchEvent } from './watch-event.ts';

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
  readonly fieldSelector?: string;
  readonly onChange: (change: Change) => void;
  /** A kind began or ceased to be served. */
  readonly onServed?: (type: ResourceType, served: boolean) => void;
  /** Something went wrong, and a new list begins. */
  readonly onTrouble?: (type: ResourceType, error: unknown) => void;
  readonly timing?: Partial<ListWatchTiming>;
}

const WATCH_SPREAD = 0.4;
/** Whole seconds are asked for, and clocks differ a little. */
const EARLY_END = 0.9;

/**
 * Keeps a store equal to what the API server has of one kind: a list, then watches from there, and whatever goes
 * wrong, a new list after a pause. A watch goes on where the last one ended only if that one ran its full time.
 */
export class ListWatch {
  private readonly options: ListWatchOptions;
  private readonly timing: ListWatchTiming;
  private readonly path: string;
  private readonly selection: Readonly<Record<string, string>>;
  private readonly lister: Lister;
  private readonly restoration: RestorationDetector;
  private readonly stopping = new AbortController();
  private readonly firstAnswer: Promise<void>;
  private settleFirstAnswer: () => void = () => undefined;
  private failures = 0;
  /** Ends the present watch or pause, so that a list begins. */
  private interruption = new AbortController();
  /** Whom the next list answers, and whom the one under way. */
  private waiting: (() => void)[] = [];
  private asking: (() => void)[] = [];
  private running: Promise<void> | undefined;
  private served: boolean | undefined;

  constructor(options: ListWatchOptions) {
    const { transport, type, trim, namespace, labelSelector, fieldSelector } = options;
    this.options = options;
    this.timing = { ...usualTiming, ...options.timing };
    this.path = collectionPath(type, namespace);
    this.selection = {
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    };
    this.lister = new Lister({
      ...{ transport, path: this.path, selection: this.selection },
      trim: (raw) => trim(type, raw),
      signal: this.stopping.signal,
      idleMs: this.timing.listIdleMs,
    });
    this.restoration = new RestorationDetector(this.timing);
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

  /**
   * Settled once the store holds all that had been written before this call, by whomever, or the kind is known to be
   * missing. A list that begins now has it; a watch may be behind, and that of one kind further than that of another.
   */
  async refresh(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.waiting.push(resolve);
      this.interruption.abort();
    });
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.interruption = new AbortController();
      this.asking.push(...this.waiting.splice(0));
      try {
        await this.list();
        for (;;) await this.watch();
      } catch (error) {
        await this.recover(error);
      }
    }
  }

  private async list(): Promise<void> {
    const { store } = this.options;
    const knownVersion = store.newestVersion;
    const listing = await this.lister.list();
    this.publish(this.takeOver(listing, knownVersion));
    this.setServed(true);
  }

  private takeOver({ objects, version }: Listing, knownVersion: string): readonly Change[] {
    const { store } = this.options;
    switch (this.restoration.judge(version, knownVersion, performance.now())) {
      case 'onwards':
        return store.replace(objects, version);
      case 'behind':
        throw new Error(`the list is as of version ${version}, and ${knownVersion} is known already`);
      case 'restored':
        this.report(new RestoredError(knownVersion, version));
        return store.restart(objects, version);
    }
  }

  /** One watch, until the server ends it in time. */
  private async watch(): Promise<void> {
    const startedAtMs = performance.now();
    const seconds = Math.round(this.timing.watchSeconds * (1 + Math.random() * WATCH_SPREAD));
    for await (const line of this.watchLines(seconds)) {
      this.publish(this.hear(line));
      this.failures = 0;
    }
    // Whoever hangs up early goes away, perhaps to come back from a backup, and may refuse the next watch at once.
    const lastedSeconds = (performance.now() - startedAtMs) / 1000;
    if (lastedSeconds < seconds * EARLY_END) {
      throw new Error(`the watch ended after ${lastedSeconds.toFixed(1)} of ${seconds} s`);
    }
    this.failures = 0;
  }

  private watchLines(seconds: number): AsyncGenerator<string, void, undefined> {
    const { transport, store } = this.options;
    const query = {
      ...this.selection,
      ...{ watch: 'true', allowWatchBookmarks: 'true', resourceVersion: store.heardVersion },
      timeoutSeconds: String(seconds),
    };
    const signal = AbortSignal.any([this.stopping.signal, this.interruption.signal]);
    const { idleMs } = this.timing;
    return transport.lines({ method: 'GET', path: this.path, query }, { idleMs, signal });
  }

  private hear(line: string): readonly Change[] {
    const { type: change, object } = parseWatchEvent(line);
    const { store, trim, type } = this.options;
    switch (change) {
      case 'ADDED':
      case 'MODIFIED':
        return store.put(trim(type, object));
      case 'DELETED':
        return store.drop(trim(type, object));
      case 'BOOKMARK':
        store.bookmark(object.metadata.resourceVersion);
        return [];
    }
  }

  private async recover(error: unknown): Promise<void> {
    if (this.stopping.signal.aborted || this.interruption.signal.aborted) return;
    if (isNotFound(error)) {
      this.publish(this.options.store.clear());
      this.setServed(false);
      await this.pause(this.timing.missingMs);
      return;
    }
    this.report(error);
    const { firstBackoffMs, lastBackoffMs } = this.timing;
    const backoffMs = Math.min(firstBackoffMs * 2 ** this.failures, lastBackoffMs);
    this.failures += 1;
    // Never before the server wants it, and not all at the same moment.
    await this.pause(retryAfterOf(error) + backoffMs * (0.5 + Math.random() / 2));
  }

  private async pause(delayMs: number): Promise<void> {
    const signal = AbortSignal.any([this.stopping.signal, this.interruption.signal]);
    await rest(delayMs, undefined, { signal }).catch(() => undefined);
  }

  private setServed(served: boolean): void {
    const hasChanged = this.served !== served;
    this.served = served;
    this.settleFirstAnswer();
    for (const settle of this.asking.splice(0)) settle();
    if (hasChanged) this.notify(() => this.options.onServed?.(this.options.type, served));
  }

  private publish(changes: readonly Change[]): void {
    for (const change of changes) this.notify(() => this.options.onChange(change));
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
}
