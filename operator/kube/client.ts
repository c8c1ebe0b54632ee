import type { KubernetesObject, ObjectReference } from '../api/object.ts';
import { isConflict, isInvalid, isNotFound } from '../controller/errors.ts';
import type { PlannedEvent } from '../plan/action.ts';
import type { Caches } from '../controller/caches.ts';
import type { Cluster } from './cluster.ts';
import type { Discovery } from '../controller/discovery.ts';
import { buildEvent } from './events.ts';
import { collectionPath, objectPath } from '../controller/resource-type.ts';
import { isCachedKind, resourceType, type CachedKind, type KnownKind } from './kinds.ts';
import type { Transport } from '../controller/transport.ts';
import { trim } from './trim.ts';

const APPLY = { fieldManager: 'headgate', force: 'true' } as const;
export const APPLY_CONTENT_TYPE = 'application/apply-patch+yaml';

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

  async read(kind: KnownKind, namespace: string, name: string): Promise<KubernetesObject | undefined> {
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
    return (answer as { readonly items: readonly KubernetesObject[] | null }).items ?? [];
  }

  async serves(groupVersion: string): Promise<boolean> {
    return this.caches.isServed(groupVersion) ?? (await this.discovery.serves(groupVersion));
  }

  async apply(object: KubernetesObject, expectedResourceVersion?: string): Promise<void> {
    const { namespace = '', name } = object.metadata;
    const body =
      expectedResourceVersion === undefined
        ? object
        : { ...object, metadata: { ...object.metadata, resourceVersion: expectedResourceVersion } };
    const path = objectPath(resourceType(object.kind), namespace, name);
    try {
      await this.write(object.kind, path, body);
    } catch (error) {
      if (!isInvalid(error) || !this.isThere(object)) throw error;
      await this.overwrite(object.kind, path, body);
    }
  }

  async remove({ kind, namespace, name, uid }: ObjectReference): Promise<void> {
    const path = objectPath(resourceType(kind), namespace, name);
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
      ...(uid === undefined ? {} : { preconditions: { uid } }),
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
      if (!isConflict(error)) throw error;
    }
  }

  private isThere({ kind, metadata: { namespace = '', name } }: KubernetesObject): boolean {
    return isCachedKind(kind) && this.cached(kind, namespace, name) !== undefined;
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
