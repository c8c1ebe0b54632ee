import type { KubernetesObject, ObjectReference, ObjectVersion } from '../api/object.ts';
import { isAlreadyExists, isConflict, isInvalid, isNotFound } from '../controller/errors.ts';
import type { PlannedEvent } from '../plan/action.ts';
import type { Caches } from '../controller/caches.ts';
import type { Cluster } from './cluster.ts';
import type { Discovery } from '../controller/discovery.ts';
import { buildEvent } from './events.ts';
import { collectionPath, objectPath } from '../controller/resource-type.ts';
import { isCachedKind, resourceType, type CachedKind, type KnownKind } from './kinds.ts';
import type { Transport } from '../controller/transport.ts';
import { isLabelledLike, isOwnedLike, NameTakenError } from './ownership.ts';
import { trim } from './trim.ts';

const APPLY = { fieldManager: 'headgate', force: 'true' } as const;
export const APPLY_CONTENT_TYPE = 'application/apply-patch+yaml';
/** A version that no object ever has: an apply that names it makes what is not there and changes nothing that is. */
const NO_VERSION = '1';

interface List {
  readonly items: readonly KubernetesObject[] | null;
}

/** The cluster behind a real API server. Answers to our own writes enter the caches before the watch brings them. */
export class KubernetesCluster implements Cluster {
  private readonly transport: Transport;
  private readonly caches: Caches<CachedKind>;
  private readonly discovery: Discovery;

  constructor(transport: Transport, caches: Caches<CachedKind>, discovery: Discovery) {
    this.transport = transport;
    this.caches = caches;
    this.discovery = discovery;
  }

  cached(kind: CachedKind, namespace: string, name: string): KubernetesObject | undefined {
    return this.caches.store(kind).get(namespace, name);
  }

  cachedGroup(kind: CachedKind, group: string): readonly KubernetesObject[] {
    return this.caches.store(kind).group(group);
  }

  cachedAll(kind: CachedKind): readonly KubernetesObject[] {
    return this.caches.store(kind).all();
  }

  async read(
    kind: KnownKind,
    namespace: string | undefined,
    name: string,
  ): Promise<KubernetesObject | undefined> {
    try {
      const path = objectPath(resourceType(kind), namespace, name);
      return (await this.transport.request({ method: 'GET', path })) as KubernetesObject;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async list(
    kind: KnownKind,
    namespace: string | undefined,
    labelSelector: string,
  ): Promise<readonly KubernetesObject[]> {
    const path = collectionPath(resourceType(kind), namespace);
    const query: Record<string, string> = labelSelector === '' ? {} : { labelSelector };
    const answer = await this.transport.request({ method: 'GET', path, query });
    return (answer as List).items ?? [];
  }

  async serves(groupVersion: string): Promise<boolean> {
    return this.caches.isServed(groupVersion) ?? (await this.discovery.serves(groupVersion));
  }

  async apply(object: KubernetesObject, expected?: ObjectVersion): Promise<void> {
    const known = this.known(object);
    // Two ModelDeployments can want one name: `fraud-7c9f4d2b1k` is a revision of one and the other's own.
    if (known !== undefined && !isLabelledLike(known, object)) throw new NameTakenError(object);
    if (expected === undefined) await this.create(object);
    else await this.update(object, expected);
  }

  async remove({ kind, namespace, name, uid, resourceVersion }: ObjectReference): Promise<void> {
    const path = objectPath(resourceType(kind), namespace, name);
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
      preconditions: { uid, resourceVersion },
    };
    try {
      const answer = (await this.transport.request({ method: 'DELETE', path, body })) as KubernetesObject;
      if (!isCachedKind(kind)) return;
      // An object comes back instead of a Status when its finalizers keep it for now.
      if (answer.kind === kind) this.caches.heardOwn(kind, trim(resourceType(kind), answer));
      else this.caches.removedOwn(kind, namespace, name, uid);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async patchStatus(object: KubernetesObject, status: object): Promise<void> {
    const { namespace = '', name, uid, resourceVersion } = object.metadata;
    const path = `${objectPath(resourceType(object.kind), namespace, name)}/status`;
    const { apiVersion, kind } = object;
    await this.write(kind, path, {
      ...{ apiVersion, kind, status },
      metadata: { name, namespace, uid, resourceVersion },
    });
  }

  async recordEvent(regarding: KubernetesObject, event: PlannedEvent): Promise<void> {
    const path = collectionPath(resourceType('Event'), regarding.metadata.namespace);
    try {
      await this.transport.request({
        method: 'POST',
        path,
        body: buildEvent(regarding, event, Date.now()),
      });
    } catch (error) {
      // It has been recorded by the pass that this one repeats.
      if (!isAlreadyExists(error)) throw error;
    }
  }

  private known({
    kind,
    metadata: { namespace = '', name },
  }: KubernetesObject): KubernetesObject | undefined {
    return isCachedKind(kind) ? this.cached(kind, namespace, name) : undefined;
  }

  /** Never writes over an object that is there already: it may be somebody else's (I5), or a successor's (I9). */
  private async create(object: KubernetesObject): Promise<void> {
    try {
      await this.write(object.kind, pathOf(object), overVersion(object, { resourceVersion: NO_VERSION }));
    } catch (error) {
      if (!isConflict(error)) throw error;
      await this.mend(object, error);
    }
  }

  /** The caches hold what bears our labels. Ours without them has lost them by a hand edit, and gets them back. */
  private async mend(object: KubernetesObject, conflict: unknown): Promise<void> {
    const live = await this.lookUp(object);
    if (live === undefined || isLabelledLike(live, object)) throw conflict;
    if (!isOwnedLike(live, object)) throw new NameTakenError(object);
    await this.update(object, live.metadata);
  }

  /** By a list of one, which is a right that the caches need anyway. */
  private async lookUp({ kind, metadata }: KubernetesObject): Promise<KubernetesObject | undefined> {
    const path = collectionPath(resourceType(kind), metadata.namespace);
    const query = { fieldSelector: `metadata.name=${metadata.name}` };
    const answer = (await this.transport.request({ method: 'GET', path, query })) as List;
    return answer.items?.[0];
  }

  /** The uid keeps an apply from making anew what has been deleted in the meantime; the version alone would not. */
  private async update(object: KubernetesObject, expected: ObjectVersion): Promise<void> {
    const body = overVersion(object, expected);
    try {
      await this.write(object.kind, pathOf(object), body);
    } catch (error) {
      if (!isInvalid(error)) throw error;
      await this.overwrite(object.kind, pathOf(object), body);
    }
  }

  /**
   * An apply leaves beside ours what others have put into a list, and that can make the whole invalid: two ports of
   * one name. A merge patch replaces lists.
   */
  private async overwrite(kind: string, path: string, body: unknown): Promise<void> {
    const answer = await this.transport.request({
      ...{ method: 'PATCH', path, body, query: { fieldManager: APPLY.fieldManager } },
      contentType: 'application/merge-patch+json',
    });
    if (isCachedKind(kind)) this.caches.heardOwn(kind, trim(resourceType(kind), answer));
  }

  private async write(kind: string, path: string, body: unknown): Promise<void> {
    const answer = await this.transport.request({
      ...{ method: 'PATCH', path, body, query: APPLY },
      contentType: APPLY_CONTENT_TYPE,
    });
    if (isCachedKind(kind)) this.caches.heardOwn(kind, trim(resourceType(kind), answer));
  }
}

function pathOf({ kind, metadata: { namespace = '', name } }: KubernetesObject): string {
  return objectPath(resourceType(kind), namespace, name);
}

/** The body of a write that the API server refuses unless the object is at this version. */
function overVersion(object: KubernetesObject, { uid, resourceVersion }: ObjectVersion): object {
  return { ...object, metadata: { ...object.metadata, uid, resourceVersion } };
}
