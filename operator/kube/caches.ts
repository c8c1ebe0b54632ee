import type { KubernetesObject } from '../api/object.ts';
import { groupKey } from './cluster.ts';
import { ListWatch, type ListWatchTiming } from './list-watch.ts';
import { ObjectStore, type Change } from './object-store.ts';
import { cachedKinds, cachedTypes, type CachedKind, type ResourceType } from './resource-types.ts';
import type { Transport } from './transport.ts';

export interface CachesOptions {
  readonly transport: Transport;
  /** Only this namespace is looked at, where given. */
  readonly namespace?: string;
  /** The kind whose objects own all others; it is watched without a label selector. */
  readonly ownerKind: CachedKind;
  /** The label by which objects of the other kinds name their owner. */
  readonly ownerLabel: string;
  readonly onChange: (kind: CachedKind, change: Change) => void;
  readonly onServed: (kind: CachedKind, served: boolean) => void;
  readonly onTrouble: (kind: CachedKind, error: unknown) => void;
  readonly timing?: Partial<ListWatchTiming>;
}

interface Cache {
  readonly store: ObjectStore;
  readonly listWatch: ListWatch;
}

/** One list-watch and one store for every kind that we read. */
export class Caches {
  private readonly options: CachesOptions;
  private readonly caches: ReadonlyMap<CachedKind, Cache>;

  constructor(options: CachesOptions) {
    this.options = options;
    this.caches = new Map(cachedKinds.map((kind) => [kind, this.createCache(kind)]));
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

  store(kind: CachedKind): ObjectStore {
    return this.cache(kind).store;
  }

  /** Undefined when no kind of that group and version is cached, or none has been answered for yet. */
  isServed(groupVersion: string): boolean | undefined {
    const answers = cachedKinds
      .filter((kind) => cachedTypes[kind].apiVersion === groupVersion)
      .map((kind) => this.cache(kind).listWatch.isServed);
    if (answers.length === 0 || answers.includes(undefined)) return undefined;
    return answers.every((served) => served === true);
  }

  /** The answer to a write of our own. */
  heardOwn(kind: CachedKind, object: KubernetesObject): void {
    this.publish(kind, this.store(kind).putOwn(object));
  }

  /** The answer to a removal of our own. */
  removedOwn(kind: CachedKind, namespace: string, name: string, uid: string | undefined): void {
    this.publish(kind, this.store(kind).dropOwn(namespace, name, uid));
  }

  private publish(kind: CachedKind, change: Change | undefined): void {
    if (change !== undefined) this.options.onChange(kind, change);
  }

  private cache(kind: CachedKind): Cache {
    const cache = this.caches.get(kind);
    if (cache === undefined) throw new Error(`${kind} is not cached`);
    return cache;
  }

  private createCache(kind: CachedKind): Cache {
    const { transport, namespace, ownerKind, ownerLabel, timing } = this.options;
    const isOwner = kind === ownerKind;
    const type: ResourceType = cachedTypes[kind];
    const store = new ObjectStore((object) => ownerGroup(object, ownerLabel));
    const listWatch = new ListWatch({
      ...{ transport, type, store },
      ...(namespace === undefined ? {} : { namespace }),
      ...(isOwner ? {} : { labelSelector: ownerLabel }),
      ...(timing === undefined ? {} : { timing }),
      onChange: (change) => this.options.onChange(kind, change),
      onServed: (_, served) => this.options.onServed(kind, served),
      onTrouble: (_, error) => this.options.onTrouble(kind, error),
    });
    return { store, listWatch };
  }
}

function ownerGroup(object: KubernetesObject, ownerLabel: string): string | undefined {
  const owner = object.metadata.labels?.[ownerLabel];
  return owner === undefined ? undefined : groupKey(object.metadata.namespace ?? '', owner);
}
