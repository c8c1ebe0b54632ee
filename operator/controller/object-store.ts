import type { KubernetesObject } from './object.ts';

/** An object came, changed or went; `previous` is what the store held before. */
export interface Change {
  readonly type: 'Added' | 'Modified' | 'Deleted';
  readonly object: KubernetesObject;
  readonly previous?: KubernetesObject;
}

/**
 * The objects of one kind as last heard of, indexed by name and by group. Versions of an object only ever grow: what
 * a slow watch says after our own write has been answered is known to be older and is ignored.
 *
 * An etcd that is restored from a backup begins again with smaller versions; like every component that caches, the
 * operator must be restarted then.
 */
export class ObjectStore {
  private readonly objects = new Map<string, KubernetesObject>();
  private readonly groups = new Map<string, Map<string, KubernetesObject>>();
  private readonly groupOf: (object: KubernetesObject) => string | undefined;
  /** Everything that happened up to this version has been heard. */
  private heardVersion = '0';

  constructor(groupOf: (object: KubernetesObject) => string | undefined) {
    this.groupOf = groupOf;
  }

  get size(): number {
    return this.objects.size;
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

  /** Everything up to this version has been heard, be it about no object at all. */
  heard(version: string): void {
    if (compareVersions(version, this.heardVersion) > 0) this.heardVersion = version;
  }

  /** A whole list as of `listVersion`: what it does not name is gone, unless it was made after the list. */
  replace(list: readonly KubernetesObject[], listVersion: string): readonly Change[] {
    const listed = new Set(list.map(keyOf));
    const gone = this.all().filter(
      (object) => !listed.has(keyOf(object)) && compareVersions(versionOf(object), listVersion) <= 0,
    );
    this.heard(listVersion);
    return [...list.map((object) => this.put(object)), ...gone.map((object) => this.drop(object))].filter(
      (change) => change !== undefined,
    );
  }

  /** The kind is not served any more. */
  clear(): readonly Change[] {
    return this.all()
      .map((object) => this.drop(object))
      .filter((change) => change !== undefined);
  }

  put(object: KubernetesObject): Change | undefined {
    const key = keyOf(object);
    const previous = this.objects.get(key);
    this.heard(versionOf(object));
    if (previous !== undefined && compareVersions(versionOf(object), versionOf(previous)) <= 0)
      return undefined;
    this.unindex(key, previous);
    this.objects.set(key, object);
    this.index(key, object);
    return previous === undefined ? { type: 'Added', object } : { type: 'Modified', object, previous };
  }

  drop(object: KubernetesObject): Change | undefined {
    const key = keyOf(object);
    const previous = this.objects.get(key);
    this.heard(versionOf(object));
    if (previous === undefined) return undefined;
    const isOtherLife = previous.metadata.uid !== object.metadata.uid;
    if (isOtherLife && compareVersions(versionOf(object), versionOf(previous)) < 0) return undefined;
    this.unindex(key, previous);
    this.objects.delete(key);
    return { type: 'Deleted', object, previous };
  }

  /**
   * The answer to a write of our own, before the watch brings it. What the watch has passed already is left alone:
   * it has brought this version or what came after it, a deletion perhaps.
   */
  putOwn(object: KubernetesObject): Change | undefined {
    if (compareVersions(versionOf(object), this.heardVersion) <= 0) return undefined;
    const heardVersion = this.heardVersion;
    const change = this.put(object);
    this.heardVersion = heardVersion;
    return change;
  }

  /** A removal of our own has been answered: this very object is gone. */
  dropOwn(namespace: string, name: string, uid: string | undefined): Change | undefined {
    const object = this.get(namespace, name);
    return object === undefined || object.metadata.uid !== uid ? undefined : this.drop(object);
  }

  private index(key: string, object: KubernetesObject): void {
    const group = this.groupOf(object);
    if (group === undefined) return;
    const members = this.groups.get(group) ?? new Map<string, KubernetesObject>();
    this.groups.set(group, members.set(key, object));
  }

  private unindex(key: string, object: KubernetesObject | undefined): void {
    const group = object === undefined ? undefined : this.groupOf(object);
    if (group === undefined) return;
    const members = this.groups.get(group);
    members?.delete(key);
    if (members?.size === 0) this.groups.delete(group);
  }
}

/** Resource versions are decimal numbers of any length (KEP-5504). */
export function compareVersions(left: string, right: string): number {
  if (left.length !== right.length) return left.length - right.length;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function versionOf(object: KubernetesObject): string {
  return object.metadata.resourceVersion ?? '0';
}

function keyOf(object: KubernetesObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}
