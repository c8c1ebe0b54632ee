import type { KubernetesObject, ObjectReference, ObjectVersion } from '../../operator/api/object.ts';
import { ApiError } from '../../operator/controller/errors.ts';
import { groupKey, type Cluster } from '../../operator/kube/cluster.ts';
import type { CachedKind, KnownKind } from '../../operator/kube/kinds.ts';
import type { PlannedEvent } from '../../operator/plan/action.ts';

/** A cluster in memory with optimistic concurrency; an apply replaces the object, and no default is filled in. */
export class FakeCluster implements Cluster {
  /** Questions that a real cluster would answer over the network. */
  readonly asked: string[] = [];
  readonly writes: string[] = [];
  readonly events: PlannedEvent[] = [];
  readonly served = new Set<string>();
  private readonly objects = new Map<string, KubernetesObject>();
  private readonly failures = new Map<string, Error>();
  private failure: Error | undefined;
  private version = 100;

  put(object: KubernetesObject): void {
    this.version += 1;
    const { kind, metadata } = object;
    const uid = metadata.uid ?? `uid-${this.version}`;
    const stored = { ...object, metadata: { ...metadata, uid, resourceVersion: String(this.version) } };
    this.objects.set(keyOf(kind, metadata.namespace, metadata.name), stored);
  }

  /** Every question over the network fails from now on. */
  failWith(error: Error): void {
    this.failure = error;
  }

  /** A write whose sentence begins so fails from now on. */
  failWrite(sentence: string, error: Error): void {
    this.failures.set(sentence, error);
  }

  cached(kind: CachedKind, namespace: string, name: string): KubernetesObject | undefined {
    return this.objects.get(keyOf(kind, namespace, name));
  }

  cachedGroup(kind: CachedKind, group: string): readonly KubernetesObject[] {
    return this.cachedAll(kind).filter(
      ({ metadata }) =>
        groupKey(metadata.namespace ?? '', metadata.labels?.['headgate.dev/model-deployment'] ?? '') ===
        group,
    );
  }

  cachedAll(kind: CachedKind): readonly KubernetesObject[] {
    return this.all(kind);
  }

  read(kind: KnownKind, namespace: string, name: string): Promise<KubernetesObject | undefined> {
    return this.answer(`read ${kind} ${name}`, () => this.objects.get(keyOf(kind, namespace, name)));
  }

  list(
    kind: KnownKind,
    namespace: string | undefined,
    labelSelector: string,
  ): Promise<readonly KubernetesObject[]> {
    const labels = labelSelector === '' ? [] : labelSelector.split(',').map((pair) => pair.split('='));
    return this.answer(`list ${kind}`, () =>
      this.all(kind).filter(
        ({ metadata }) =>
          (namespace === undefined || metadata.namespace === namespace) &&
          labels.every(([label = '', value]) => metadata.labels?.[label] === value),
      ),
    );
  }

  serves(groupVersion: string): Promise<boolean> {
    return Promise.resolve(this.served.has(groupVersion));
  }

  apply(object: KubernetesObject, expected?: ObjectVersion): Promise<void> {
    const { kind, metadata } = object;
    return this.write(`apply ${kind} ${metadata.name}`, () => {
      const live = this.objects.get(keyOf(kind, metadata.namespace, metadata.name));
      if (live?.metadata.resourceVersion !== expected?.resourceVersion) {
        throw new ApiError(409, 'Conflict', `${metadata.name} has been modified`);
      }
      this.put({
        ...object,
        metadata: { ...metadata, ...(live?.metadata.uid && { uid: live.metadata.uid }) },
      });
    });
  }

  remove({ kind, namespace, name }: ObjectReference): Promise<void> {
    return this.write(`remove ${kind} ${name}`, () => this.objects.delete(keyOf(kind, namespace, name)));
  }

  patchStatus({ kind, metadata }: KubernetesObject, status: object): Promise<void> {
    return this.write(`status ${kind} ${metadata.name}`, () => {
      const live = this.objects.get(keyOf(kind, metadata.namespace, metadata.name));
      if (live?.metadata.resourceVersion !== metadata.resourceVersion) {
        throw new ApiError(409, 'Conflict', `${metadata.name} has been modified`);
      }
      this.put({ ...live, status } as KubernetesObject);
    });
  }

  recordEvent({ metadata }: KubernetesObject, event: PlannedEvent): Promise<void> {
    return this.write(`event ${metadata.name} ${event.reason}`, () => this.events.push(event));
  }

  private all(kind: string): readonly KubernetesObject[] {
    return [...this.objects.values()].filter((object) => object.kind === kind);
  }

  private async answer<Answer>(question: string, give: () => Answer): Promise<Answer> {
    this.asked.push(question);
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
    return give();
  }

  private async write(sentence: string, carryOut: () => unknown): Promise<void> {
    await Promise.resolve();
    for (const [start, error] of this.failures) if (sentence.startsWith(start)) throw error;
    carryOut();
    this.writes.push(sentence);
  }
}

function keyOf(kind: string, namespace = '', name: string): string {
  return `${kind} ${namespace}/${name}`;
}
