import { randomUUID } from 'node:crypto';
import type { KubernetesObject } from './api/object.ts';
import type { HistoryEntry, ModelDeployment, ModelDeploymentStatus } from './api/model-deployment.ts';
import type { OperatorConfig } from './config.ts';
import { leaseTiming } from './controller/candidacy.ts';
import { Controller } from './controller/controller.ts';
import { messageOf } from './controller/errors.ts';
import type { Caches } from './controller/caches.ts';
import { createCaches, groupOf } from './kube/caches.ts';
import { KubernetesCluster } from './kube/client.ts';
import type { Connection } from './controller/connection.ts';
import { Discovery } from './controller/discovery.ts';
import { Election } from './controller/election.ts';
import type { Term } from './controller/term.ts';
import type { Change } from './controller/object-store.ts';
import { declaredRequestsOnly } from './kube/declared-requests.ts';
import { declaredGrants } from './kube/grants.ts';
import type { CachedKind } from './kube/kinds.ts';
import { createTransport, type Transport } from './controller/transport.ts';
import { TrafficClaims } from './observe/traffic-claims.ts';
import { reconcile } from './reconcile.ts';
import { startHealthServer, type HealthServer } from './telemetry/health.ts';
import type { Log } from './telemetry/log.ts';
import { createMetrics, type Metrics } from './telemetry/metrics.ts';

/** Remembered so that each is told of once; beyond that many, one is told of again (I18). */
const MOST_ENDING_NAMESPACES = 1_000;

/**
 * Caches, election, queue, workers and health server, wired together. Every replica keeps its caches filled; only the
 * one that is elected makes passes.
 */
export class Operator {
  private readonly config: OperatorConfig;
  private readonly log: Log;
  private readonly metrics: Metrics;
  private readonly caches: Caches<CachedKind>;
  private readonly transport: Transport;
  private readonly discovery: Discovery;
  private readonly trafficClaims: TrafficClaims;
  private readonly election: Election;
  /** Only while this replica leads. */
  private controller: Controller | undefined;
  private readonly missingKinds = new Set<CachedKind>();
  private readonly endingNamespaces = new Set<string>();
  private health: HealthServer | undefined;
  private isReady = false;

  constructor(config: OperatorConfig, connection: Connection, log: Log) {
    this.config = config;
    this.log = log;
    this.metrics = createMetrics({
      isLeading: () => this.election.isLeading,
      queueDepth: () => this.controller?.queue.depth ?? 0,
      phases: () => (this.election.isLeading ? this.modelDeployments.map(phaseOf) : []),
    });
    const identity = `${config.podName}_${randomUUID().slice(0, 8)}`;
    const onAnswer = (verb: string, code: number): void =>
      this.metrics.apiRequests.inc({ verb, code: String(code) });
    const unlimited = createTransport(connection, { userAgent: `headgate/${identity}`, onAnswer });
    const transport = declaredRequestsOnly(unlimited, declaredGrants());
    this.transport = transport;
    this.caches = createCaches({
      transport,
      ...(config.watchNamespace === undefined ? {} : { namespace: config.watchNamespace }),
      onChange: (kind, change) => this.enqueue(kind, change),
      onServed: (kind, served) => this.onServed(kind, served),
      onTrouble: (kind, error) => this.onTrouble(kind, error),
    });
    this.discovery = new Discovery({
      transport,
      onChange: (groupVersion, served) => this.onDiscovered(groupVersion, served),
    });
    const reader = new KubernetesCluster(transport, this.caches, this.discovery);
    this.trafficClaims = new TrafficClaims(reader, config.trafficPolicy);
    this.election = new Election({
      ...{ transport, identity, lease: config.lease, timing: leaseTiming(config.leaseSeconds * 1000) },
      onElected: (term) => this.onElected(term, identity),
      onDeposed: () => this.onDeposed(),
      onTrouble: (error) => this.log.warn('the lease is out of reach', { problem: messageOf(error) }),
    });
  }

  /** Settled once the caches are filled and it stands for election. */
  async start(): Promise<void> {
    const { healthPort: port } = this.config;
    const { registry } = this.metrics;
    this.health = await startHealthServer({ port, registry, isReady: () => this.isReady });
    this.caches.start();
    await this.caches.synced();
    this.discovery.start();
    this.election.start();
    this.isReady = true;
    this.log.info('ready', { healthPort: this.health.port });
  }

  /**
   * Begins nothing more, lets the writes under way be answered, hands over, closes all connections. A pass that only
   * looks meanwhile comes to its end at its next write.
   */
  async stop(): Promise<void> {
    this.isReady = false;
    const stopping = this.controller?.stop();
    await this.election.resign();
    await stopping;
    await Promise.all([this.caches.stop(), this.discovery.stop()]);
    await this.health?.stop();
  }

  private get modelDeployments(): readonly KubernetesObject[] {
    return this.caches.store('ModelDeployment').all();
  }

  /**
   * The predecessor's last writes may have come by the watch of one kind and be on their way by that of another: whoever
   * knows its routes, and not yet the promotion that they follow, would take them back. So all is listed anew first.
   * What passes of an earlier term may still do meets that term's fence.
   */
  private onElected(term: Term, identity: string): void {
    this.log.info('leading', { identity });
    void term.beginAfter(
      async () => await this.caches.refresh(),
      () => this.beginPasses(term),
    );
  }

  private beginPasses(term: Term): void {
    const transport = term.fence(this.transport);
    this.controller = this.createController(new KubernetesCluster(transport, this.caches, this.discovery));
    this.enqueueAll();
    this.controller.start();
  }

  private onDeposed(): void {
    this.log.warn('not leading any more');
    void this.controller?.stop();
    this.controller = undefined;
  }

  private createController(cluster: KubernetesCluster): Controller {
    const context = {
      cluster,
      defaultRuntimeImage: this.config.runtimeImage,
      gatewayNamespaces: this.config.gatewayNamespaces,
      refuseTraffic: (modelDeployment: ModelDeployment) => this.trafficClaims.refusalsOf(modelDeployment),
      modelSources: this.config.modelSources,
      decisionPolicy: this.config.decisionPolicy,
      listeners: {
        onRolloutEnded: (entry: HistoryEntry) => this.onRolloutEnded(entry),
        onEventLost: (event: { readonly reason: string }, problem: string) =>
          this.log.warn('an event could not be recorded', { reason: event.reason, problem }),
        onNamespaceEnding: (namespace: string) => this.onNamespaceEnding(namespace),
      },
    };
    return new Controller({
      workers: this.config.concurrency,
      reconcile: async (key) => await reconcile(context, key),
      onPass: (key, outcome, durationMs) => {
        this.metrics.reconcileSeconds.observe({ outcome }, durationMs / 1000);
        this.log.debug('a pass is over', { modelDeployment: key, outcome, durationMs });
      },
      onError: (key, error) =>
        this.log.error('a pass failed and will be repeated', {
          modelDeployment: key,
          problem: messageOf(error),
        }),
    });
  }

  private enqueue(kind: CachedKind, change: Change): void {
    const { object, previous } = change;
    const concerned = kind === 'ModelDeployment' ? this.trafficClaims.update(change) : [];
    for (const key of concerned) this.controller?.queue.add(key);
    for (const changed of [object, previous]) {
      const key = changed === undefined ? undefined : groupOf(kind, changed);
      if (key !== undefined) this.controller?.queue.add(key);
    }
  }

  private onServed(kind: CachedKind, served: boolean): void {
    if (!served) this.log.warn('a kind is not installed in this cluster', { kind });
    else if (this.missingKinds.has(kind)) this.log.info('a kind is installed now', { kind });
    if (served) this.missingKinds.delete(kind);
    else this.missingKinds.add(kind);
    this.enqueueAll();
  }

  private onDiscovered(groupVersion: string, served: boolean): void {
    this.log.info('an API came or went', { groupVersion, served });
    this.enqueueAll();
  }

  /** What the cluster can do has changed for all of them. */
  private enqueueAll(): void {
    for (const object of this.modelDeployments) this.enqueue('ModelDeployment', { type: 'Modified', object });
  }

  private onTrouble(kind: CachedKind, error: unknown): void {
    this.metrics.watchRestarts.inc({ kind });
    this.log.warn('a watch broke and begins again', { kind, problem: messageOf(error) });
  }

  /** Once for each: every ModelDeployment in it meets the same. */
  private onNamespaceEnding(namespace: string): void {
    if (this.endingNamespaces.has(namespace)) return;
    if (this.endingNamespaces.size === MOST_ENDING_NAMESPACES) this.endingNamespaces.clear();
    this.endingNamespaces.add(namespace);
    this.log.info('a namespace is being deleted; its models go with it', { namespace });
  }

  private onRolloutEnded({ revision, outcome, reason = '', message = '' }: HistoryEntry): void {
    this.metrics.rollouts.inc({ outcome, reason });
    this.log.info('a rollout has ended', { revision, outcome, reason, message });
  }
}

function phaseOf(object: KubernetesObject): string {
  return (object as { readonly status?: ModelDeploymentStatus }).status?.phase ?? 'Pending';
}
