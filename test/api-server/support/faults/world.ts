import type { ModelDeployment } from '../../../../operator/api/model-deployment.ts';
import type { KubernetesObject } from '../../../../operator/api/object.ts';
import { isNotFound } from '../../../../operator/controller/errors.ts';
import { collectionPath, objectPath } from '../../../../operator/controller/resource-type.ts';
import { cachedKinds, resourceType, type KnownKind } from '../../../../operator/kube/kinds.ts';
import type { StrategyName } from '../../../../operator/strategies/index.ts';
import { HopelessError, waitFor } from '../../../bed/wait.ts';
import { canonicalObject, type Outcome } from '../../../support/fault-campaign/outcome.ts';
import type { WorldRecord } from './record.ts';
import { MODEL, specOf } from './rollouts.ts';
import type { Worlds } from './worlds.ts';

/** Nothing that a pass waits for without a word lasts longer. */
const QUIET_MS = 1_500;
const EVERY_MS = 50;
/** Several crashes, each with a Lease that has to run out, on a machine that is busy with others. */
const LONGEST_MS = 240_000;

const childKinds = cachedKinds.filter((kind) => kind !== 'Pod');

interface RecordedEvent extends KubernetesObject {
  readonly reason: string;
  readonly reportingComponent?: string;
}

interface WorldOptions {
  readonly strategy: StrategyName;
  readonly namespace: string;
  readonly record: WorldRecord;
}

/** One namespace with one ModelDeployment, from its first version to its second. */
export class World {
  readonly namespace: string;
  readonly record: WorldRecord;
  private readonly worlds: Worlds;
  private readonly strategy: StrategyName;
  private isOver = false;

  constructor(worlds: Worlds, { strategy, namespace, record }: WorldOptions) {
    this.worlds = worlds;
    this.strategy = strategy;
    this.namespace = namespace;
    this.record = record;
  }

  async begin(): Promise<void> {
    await this.request('POST', '/api/v1/namespaces', {
      ...{ apiVersion: 'v1', kind: 'Namespace' },
      metadata: { name: this.namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
  }

  /** The whole way; what is left at its end. */
  async rollOut(): Promise<Outcome> {
    await this.apply(1);
    await this.waitFor('serves its first version', ({ status, metadata }) => {
      return status?.phase === 'Healthy' && status.observedGeneration === metadata.generation;
    });
    await this.apply(2);
    await this.decide();
    await this.waitFor('has come to rest at its second version', (object) => this.isAtRest(object));
    return await this.outcome();
  }

  /** So that thousands of them need no more room than those under way. */
  async takeDown(): Promise<void> {
    this.isOver = true;
    this.worlds.forget(this.namespace);
    await this.request('DELETE', objectPath(resourceType('ModelDeployment'), this.namespace, MODEL));
    await waitFor('it is gone', () => this.worlds.find(this.namespace) === undefined, { everyMs: EVERY_MS });
    const kinds: readonly KnownKind[] = [...cachedKinds, 'Event', 'EndpointSlice'];
    for (const kind of kinds)
      await this.request('DELETE', collectionPath(resourceType(kind), this.namespace));
  }

  private async apply(version: number): Promise<void> {
    await this.worlds.installation.apply(
      MODEL,
      specOf(this.strategy, this.namespace, version),
      this.namespace,
    );
  }

  /** Whoever waits for a person is told to go on. */
  private async decide(): Promise<void> {
    if (this.strategy !== 'Canary') return;
    await this.waitFor('waits for a decision', ({ status }) => status?.reason === 'PausedUntilDecision');
    const { rolloutId: rollout } = this.worlds.statusOf(this.namespace) ?? {};
    await this.request('POST', collectionPath(resourceType('RolloutDecision'), this.namespace), {
      ...{ apiVersion: 'headgate.dev/v1alpha1', kind: 'RolloutDecision' },
      metadata: { name: 'go-on', namespace: this.namespace },
      spec: { modelDeployment: MODEL, rollout, action: 'Promote', decidedBy: 'bed-admin' },
    });
  }

  private isAtRest({ metadata, status, spec }: ModelDeployment): boolean {
    return (
      spec.model.uri.includes('/2/') &&
      status?.phase === 'Healthy' &&
      status.observedGeneration === metadata.generation &&
      status.conditions?.every(({ type }) => type !== 'Retiring') === true &&
      // Asked for again at intervals that double, where the runtimes were too busy to say it.
      status.revisions?.every(({ modelDigest }) => modelDigest !== undefined) === true &&
      this.worlds.countOf('Deployment', this.namespace) === 1 &&
      performance.now() - this.record.lastWriteMs > QUIET_MS
    );
  }

  private async waitFor(what: string, holds: (object: ModelDeployment) => boolean): Promise<void> {
    await waitFor(
      `${this.namespace} ${what}`,
      () => {
        if (this.isOver) throw new HopelessError(`${this.namespace} was taken down`);
        const object = this.worlds.find(this.namespace);
        if (object !== undefined && holds(object)) return true;
        const { phase = '', reason = '', message = '' } = object?.status ?? {};
        throw new Error(`${phase} ${reason}: ${message}`);
      },
      { timeoutMs: LONGEST_MS, everyMs: EVERY_MS },
    );
  }

  /** As the API server itself has it. */
  private async outcome(): Promise<Outcome> {
    const [model] = await this.list('ModelDeployment');
    if (model === undefined) throw new Error(`${this.namespace} has no ModelDeployment`);
    const { status } = model as ModelDeployment;
    const world = {
      ...{ namespace: this.namespace, uid: model.metadata.uid ?? '' },
      routingHash: status?.routing?.hash,
    };
    const objects = new Map<string, string>();
    for (const kind of childKinds) {
      for (const object of await this.list(kind)) {
        objects.set(`${kind} ${this.record.alias(object.metadata.name)}`, canonicalObject(object, world));
      }
    }
    const events = (await this.list('Event')) as readonly RecordedEvent[];
    return {
      objects,
      deletions: this.record.deletions,
      reasons: events.filter(isOurs).map(({ reason }) => reason),
      routes: this.worlds.routesOf(this.namespace),
    };
  }

  private async list(kind: KnownKind): Promise<readonly KubernetesObject[]> {
    const type = resourceType(kind);
    const answer = await this.request('GET', collectionPath(type, this.namespace));
    const { items } = answer as { readonly items: readonly KubernetesObject[] };
    return items.map((item) => ({ ...item, apiVersion: type.apiVersion, kind }));
  }

  private async request(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<unknown> {
    try {
      return await this.worlds.installation.transport.request({ method, path, body });
    } catch (error) {
      if (method === 'DELETE' && isNotFound(error)) return undefined;
      throw error;
    }
  }
}

/** The API server records events too, such as of a Service whose address it has not taken down yet. */
function isOurs({ reportingComponent }: RecordedEvent): boolean {
  return reportingComponent === 'headgate';
}
