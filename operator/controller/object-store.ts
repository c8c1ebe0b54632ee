import type { KubernetesObject } from './object.ts';

/** An object came, changed or went; `previous` is what the store held before. */
export interface Change {
  readonly type: 'Added' | 'Modified' | 'Deleted';
  readonly object: KubernetesObject;
  readonly previous?: KubernetesObject;
}

/**
 * The objects of one kind as last heard of, indexed by name and by group. News comes from three sides: lists, a watch
 * and the answers to our own writes, which may overtake the watch. Nothing old undoes anything new:
 * - The versions of a watch only grow; what is not newer than all that was heard is a repetition.
 * - What we wrote or removed ourselves stands until the watch, or a list that is newer, has come as far.
 */
export class ObjectStore {
  private readonly objects = new Map<string, KubernetesObject>();
  private readonly groups = new Map<string, Map<string, KubernetesObject>>();
  private readonly groupOf: (object: KubernetesObject) => string | undefined;
  /** Everything that happened up to this version has been heard. */
  private heard = '0';
  /** The newest version that an answer to our own writes named. */
  private own = '0';
  /** Uids of what we removed and of what the watch has not said yet that it is gone. */
  private removed = new Set<string | undefined>();

  constructor(groupOf: (object: KubernetesObject) => string | undefined) {
    this.groupOf = groupOf;
  }

  get size(): number {
    return this.objects.size;
  }

  /** Where a watch goes on. */
  get heardVersion(): string {
    return this.heard;
  }

  /** No list that is asked for from now on can be older than this, unless time goes backwards. */
  get newestVersion(): string {
    return newerOf(this.heard, this.own);
  }

  get(namespace: string, name: string): KubernetesObject | undefined {
    return this.objects.get(`${namespace}/${name}`);
  }

  all(): readonly KubernetesObject[] {
    return [...this.objects.values()];
  }

  group(group: string): readonly KubernetesObject[] {
    return [...(this.groups.get(group)?.values() ?? [])];
  }

  /** A whole list as of `listVersion`. It says all about what happened until then, and nothing about what we did since. */
  replace(list: readonly KubernetesObject[], listVersion: string): readonly Change[] {
    return this.takeOver(list, listVersion, (held) => compareVersions(versionOf(held), listVersion) > 0);
  }

  /** A list of a cluster that was restored from a backup: versions begin anew, and all that was known is void. */
  restart(list: readonly KubernetesObject[], listVersion: string): readonly Change[] {
    [this.heard, this.own] = ['0', '0'];
    this.removed.clear();
    return this.takeOver(list, listVersion, () => false);
  }

  /** The kind is not served any more. */
  clear(): readonly Change[] {
    return this.all().map((object) => this.delete(object, object));
  }

  /** The watch says that there is this object now. */
  put(object: KubernetesObject): readonly Change[] {
    if (!this.isNews(versionOf(object)) || this.removed.has(object.metadata.uid)) return [];
    return this.isHeldAsNew(object) ? [] : this.set(object);
  }

  /** The watch says that this object is gone. */
  drop(object: KubernetesObject): readonly Change[] {
    if (!this.isNews(versionOf(object))) return [];
    this.removed.delete(object.metadata.uid);
    const held = this.objects.get(keyOf(object));
    if (held === undefined) return [];
    // A newer one of that name is another life, or our own write that brought it back under our selection.
    const isOlder = compareVersions(versionOf(object), versionOf(held)) < 0;
    return isOlder ? [] : [this.delete(held, object)];
  }

  /** The watch says that there is nothing more up to this version. */
  bookmark(version: string): void {
    this.isNews(version);
  }

  /**
   * The answer to a write of our own, before the watch brings it. What the watch has passed already is left alone:
   * it has brought this version or what came after it, a deletion perhaps.
   */
  putOwn(object: KubernetesObject): readonly Change[] {
    this.own = newerOf(this.own, versionOf(object));
    const isPassed = compareVersions(versionOf(object), this.heard) <= 0;
    if (isPassed || this.removed.has(object.metadata.uid) || this.isHeldAsNew(object)) return [];
    return this.set(object);
  }

  /** A removal of our own has been answered: this very object is gone. */
  dropOwn(namespace: string, name: string, uid: string | undefined): readonly Change[] {
    const held = this.get(namespace, name);
    if (held === undefined || held.metadata.uid !== uid) return [];
    this.removed.add(uid);
    return [this.delete(held, held)];
  }

  private takeOver(
    list: readonly KubernetesObject[],
    listVersion: string,
    isNewer: (held: KubernetesObject) => boolean,
  ): readonly Change[] {
    const listedKeys = new Set(list.map(keyOf));
    const gone = this.all().filter((held) => !listedKeys.has(keyOf(held)) && !isNewer(held));
    const come = list.filter((object) => {
      const held = this.objects.get(keyOf(object));
      return !this.removed.has(object.metadata.uid) && (held === undefined || !isNewer(held));
    });
    this.removed = new Set(list.map(({ metadata }) => metadata.uid).filter((uid) => this.removed.has(uid)));
    this.heard = newerOf(this.heard, listVersion);
    return [...gone.map((held) => this.delete(held, held)), ...come.flatMap((object) => this.set(object))];
  }

  /** Takes note of how far the watch has come; false when it has been there before. */
  private isNews(version: string): boolean {
    if (compareVersions(version, this.heard) <= 0) return false;
    this.heard = version;
    return true;
  }

  private isHeldAsNew(object: KubernetesObject): boolean {
    const held = this.objects.get(keyOf(object));
    return held !== undefined && compareVersions(versionOf(object), versionOf(held)) <= 0;
  }

  /** Another life of a name is no change of the one before: that one has gone, unheard. */
  private set(object: KubernetesObject): readonly Change[] {
    const previous = this.objects.get(keyOf(object));
    if (previous === undefined) return [this.insert({ type: 'Added', object })];
    if (previous.metadata.uid !== object.metadata.uid) {
      return [this.delete(previous, previous), this.insert({ type: 'Added', object })];
    }
    this.unindex(previous);
    const change = this.insert({ type: 'Modified', object, previous });
    return versionOf(previous) === versionOf(object) ? [] : [change];
  }

  private insert(change: Change): Change {
    const { object } = change;
    this.objects.set(keyOf(object), object);
    const group = this.groupOf(object);
    if (group === undefined) return change;
    const members = this.groups.get(group) ?? new Map<string, KubernetesObject>();
    this.groups.set(group, members.set(keyOf(object), object));
    return change;
  }

  private delete(held: KubernetesObject, last: KubernetesObject): Change {
    this.objects.delete(keyOf(held));
    this.unindex(held);
    return { type: 'Deleted', object: last, previous: held };
  }

  private unindex(held: KubernetesObject): void {
    const group = this.groupOf(held);
    if (group === undefined) return;
    const members = this.groups.get(group);
    members?.delete(keyOf(held));
    if (members?.size === 0) this.groups.delete(group);
  }
}

/** Resource versions are decimal numbers of any length (KEP-5504). */
export function compareVersions(left: string, right: string): number {
  if (left.length !== right.length) return left.length - right.length;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

export function keyOf({ metadata }: KubernetesObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

function newerOf(left: string, right: string): string {
  return compareVersions(left, right) < 0 ? right : left;
}

function versionOf(object: KubernetesObject): string {
  return object.metadata.resourceVersion ?? '0';
}
