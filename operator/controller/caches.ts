import { ListWatch, type Trim } from './list-watch.ts';
import type { ListWatchTiming } from './list-watch-timing.ts';
import type { KubernetesObject } from './object.ts';
import { ObjectStore, type Change } from './object-store.ts';
import type { ResourceType } from './resource-type.ts';
import type { Transport } from './transport.ts';

/** One kind to keep in memory, and which of its objects. */
export interface CacheDeclaration {
  readonly type: ResourceType;
  readonly labelSelector?: string;
  readonly trim: Trim;
  /** The group under which an object is found, if it belongs to any. */
  readonly groupOf: (object: KubernetesObject) => string | undefined;
}

export interface CachesOptions<Kind extends string> {
  readonly transport: Transport;
  readonly declarations: Readonly<Record<Kind, CacheDeclaration>>;
  /** Only this namespace is looked at, where given. */
  readonly namespace?: string;
  readonly onChange: (kind: Kind, change: Change) => void;
  readonly onServed: (kind: Kind, served: boolean) => void;
  readonly onTrouble: (kind: Kind, error: unknown) => void;
  readonly timing?: Partial<ListWatchTiming>;
}

interface Cache {
  readonly type: ResourceType;
  readonly store: ObjectStore;
  readonly listWatch: ListWatch;
}

/** One list-watch and one store for every kind that is declared. */
export class Caches<Kind extends string> {
  private readonly options: CachesOptions<Kind>;
  private readonly caches: ReadonlyMap<Kind, Cache>;

  constructor(options: CachesOptions<Kind>) {
    this.options = options;
    const kinds = Object.keys(options.declarations) as Kind[];
    this.caches = new Map(kinds.map((kind) => [kind, this.createCache(kind)]));
  }

  start(): void {
    for (const { listWatch } of this.caches.values()) listWatch.start();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.caches.values()].map(({ listWatch }) => listWatch.stop()));
  }

  /** Settled once every kind has been listed, or is known to be missing. */
  async synced(): Promise<void> {
    await Promise.all([...this.caches.values()].map(({ listWatch }) => listWatch.synced));
  }

  /** Settled once they hold all that had been written before this call, whoever wrote it. */
  async refresh(): Promise<void> {
    await Promise.all([...this.caches.values()].map(({ listWatch }) => listWatch.refresh()));
  }

  store(kind: Kind): ObjectStore {
    const cache = this.caches.get(kind);
    if (cache === undefined) throw new Error(`${kind} is not cached`);
    return cache.store;
  }

  /** Undefined when no kind of that group and version is cached, or none has been answered for yet. */
  isServed(groupVersion: string): boolean | undefined {
    const answers = [...this.caches.values()]
      .filter(({ type }) => type.apiVersion === groupVersion)
      .map(({ listWatch }) => listWatch.isServed);
    if (answers.length === 0 || answers.includes(undefined)) return undefined;
    return answers.every((served) => served === true);
  }

  /** The answer to a write of our own. */
  heardOwn(kind: Kind, object: KubernetesObject): void {
    this.publish(kind, this.store(kind).putOwn(object));
  }

  /** The answer to a removal of our own. */
  removedOwn(kind: Kind, namespace: string, name: string, uid: string | undefined): void {
    this.publish(kind, this.store(kind).dropOwn(namespace, name, uid));
  }

  private publish(kind: Kind, changes: readonly Change[]): void {
    for (const change of changes) this.options.onChange(kind, change);
  }

  private createCache(kind: Kind): Cache {
    const { transport, namespace, declarations, timing } = this.options;
    const { type, trim, groupOf, labelSelector }: CacheDeclaration = declarations[kind];
    const store = new ObjectStore(groupOf);
    const listWatch = new ListWatch({
      ...{ transport, type, store, trim },
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(timing === undefined ? {} : { timing }),
      onChange: (change) => this.options.onChange(kind, change),
      onServed: (_, served) => this.options.onServed(kind, served),
      onTrouble: (_, error) => this.options.onTrouble(kind, error),
    });
    return { type, store, listWatch };
  }
}
