import type { ModelDeployment, ModelDeploymentStatus } from '../../../../operator/api/model-deployment.ts';
import type { Caches } from '../../../../operator/controller/caches.ts';
import type { Change } from '../../../../operator/controller/object-store.ts';
import { createCaches, groupOf } from '../../../../operator/kube/caches.ts';
import { groupKey } from '../../../../operator/kube/cluster.ts';
import type { CachedKind } from '../../../../operator/kube/kinds.ts';
import type { StrategyName } from '../../../../operator/strategies/index.ts';
import type { Case } from '../../../support/fault-campaign/faults.ts';
import type { Route } from '../../../support/fault-campaign/outcome.ts';
import type { Installation } from '../installation.ts';
import { StandInGateway, type VirtualService } from '../stand-in-gateway.ts';
import type { FaultProxy } from './fault-proxy.ts';
import { WorldRecord } from './record.ts';
import { MODEL } from './rollouts.ts';
import { routesOf } from './routes.ts';
import { StandInControllers } from './stand-in-controllers.ts';
import { World } from './world.ts';

/** Namespaces with one ModelDeployment each, side by side on one API server. */
export class Worlds {
  readonly caches: Caches<CachedKind>;
  readonly installation: Installation;
  private readonly controllers: StandInControllers;
  private readonly proxy: FaultProxy;
  private readonly routes = new Map<string, Route[]>();
  private gateway: StandInGateway | undefined;
  private created = 0;

  private constructor(installation: Installation, proxy: FaultProxy) {
    this.installation = installation;
    this.proxy = proxy;
    this.caches = createCaches({
      transport: installation.transport,
      onChange: (kind, change) => this.hear(kind, change),
      onServed: () => undefined,
      onTrouble: () => undefined,
    });
    this.controllers = new StandInControllers(installation.transport, this.caches);
  }

  static async start(installation: Installation, proxy: FaultProxy): Promise<Worlds> {
    const worlds = new Worlds(installation, proxy);
    worlds.caches.start();
    await worlds.caches.synced();
    worlds.gateway = await StandInGateway.start(installation, () =>
      Promise.resolve(worlds.caches.store('VirtualService').all() as readonly VirtualService[]),
    );
    return worlds;
  }

  async stop(): Promise<void> {
    await this.controllers.stop();
    await this.gateway?.stop();
    await this.caches.stop();
  }

  async create(strategy: StrategyName, planned?: Case): Promise<World> {
    this.created += 1;
    const namespace = `world-${String(this.created).padStart(5, '0')}`;
    const record = new WorldRecord(planned);
    this.routes.set(namespace, []);
    this.proxy.worlds.set(namespace, record);
    const world = new World(this, { strategy, namespace, record });
    await world.begin();
    return world;
  }

  forget(namespace: string): void {
    this.routes.delete(namespace);
    this.proxy.worlds.delete(namespace);
  }

  routesOf(namespace: string): readonly Route[] {
    return this.routes.get(namespace) ?? [];
  }

  statusOf(namespace: string): ModelDeploymentStatus | undefined {
    return this.find(namespace)?.status;
  }

  find(namespace: string): ModelDeployment | undefined {
    return this.caches.store('ModelDeployment').get(namespace, MODEL) as ModelDeployment | undefined;
  }

  countOf(kind: CachedKind, namespace: string): number {
    return this.caches.store(kind).group(groupKey(namespace, MODEL)).length;
  }

  private hear(kind: CachedKind, { type, object }: Change): void {
    const { namespace = '' } = object.metadata;
    const routes = this.routes.get(namespace);
    if (routes === undefined) return;
    const group = groupOf(kind, object);
    if (group !== undefined) this.controllers.wake(group);
    const route = routesOf(object, (name) => this.proxy.worlds.get(namespace)?.alias(name) ?? name);
    if (route === undefined || type === 'Deleted') return;
    if (routes.findLast((known) => known.object === route.object)?.to !== route.to) routes.push(route);
  }
}
