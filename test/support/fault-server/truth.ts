/** One object: what a cache must know of it at the end. */
export interface Thing {
  readonly name: string;
  readonly uid: string;
  readonly version: number;
  /** How often the cluster had been restored when it was written. */
  readonly world: number;
}

export interface Happening {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly thing: Thing;
}

export interface Snapshot {
  readonly version: number;
  readonly things: readonly Thing[];
}

const LONGEST_HISTORY = 5_000;

/** What really is, with one version counter for all objects and a bounded memory of how it came about, as etcd has it. */
export class Truth {
  world = 0;
  private current = 10;
  private readonly things = new Map<string, Thing>();
  private history: Happening[] = [];
  private forgottenUntil = 0;

  get version(): number {
    return this.current;
  }

  get size(): number {
    return this.things.size;
  }

  get(name: string): Thing | undefined {
    return this.things.get(name);
  }

  snapshot(): Snapshot {
    return { version: this.current, things: [...this.things.values()] };
  }

  put(name: string, uid: string): Happening {
    this.current += 1;
    const thing = { name, uid, version: this.current, world: this.world };
    const type = this.things.has(name) ? 'MODIFIED' : 'ADDED';
    this.things.set(name, thing);
    return this.record({ type, thing });
  }

  remove(name: string): Happening | undefined {
    const thing = this.things.get(name);
    if (thing === undefined) return undefined;
    this.current += 1;
    this.things.delete(name);
    return this.record({ type: 'DELETED', thing: { ...thing, version: this.current, world: this.world } });
  }

  /** In order; undefined when not everything since then is remembered. */
  since(version: number): readonly Happening[] | undefined {
    if (version < this.forgottenUntil) return undefined;
    return this.history.filter(({ thing }) => thing.version > version);
  }

  /** The last of what had happened by then. */
  until(version: number, count: number): readonly Happening[] {
    return this.history.filter(({ thing }) => thing.version <= version).slice(-count);
  }

  forget(): void {
    this.history = [];
    this.forgottenUntil = this.current;
  }

  /** Begins again from a backup: versions that have been used are used again, for something else. */
  restore({ version, things }: Snapshot): void {
    this.world += 1;
    this.things.clear();
    for (const thing of things) this.things.set(thing.name, { ...thing, world: this.world });
    this.current = version;
    this.forget();
  }

  private record(happening: Happening): Happening {
    this.history.push(happening);
    // Twice as much as is promised, so that dropping the older half is rare.
    if (this.history.length > 2 * LONGEST_HISTORY) {
      this.forgottenUntil = this.history[LONGEST_HISTORY - 1]?.thing.version ?? this.current;
      this.history = this.history.slice(LONGEST_HISTORY);
    }
    return happening;
  }
}
