import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'winston';
import { Batcher } from './batching/batcher.ts';
import type { BatchObserver } from './batching/release.ts';
import type { RuntimeConfig } from './config/config.ts';
import { DataPlane } from './inference/data-plane.ts';
import { ExecutorPool } from './executor/executor-pool.ts';
import { countWholeCpus, readTextFile } from './executor/cpu-limit.ts';
import { planExecutors, type ExecutorPlan } from './executor/executor-plan.ts';
import { InferenceService } from './inference/inference-service.ts';
import { ManagementServer } from './management/management-server.ts';
import { Metrics } from './metrics/metrics.ts';
import { Traffic } from './metrics/traffic.ts';
import { fetchModel, verifyUnchanged, type LocalModel } from './model-source/model-source.ts';
import { InferQueue } from './queue/queue.ts';
import { BodyBudget, shareOfMemory } from './rest/body.ts';
import { InferRoute } from './rest/infer-route.ts';
import { RestServer } from './rest/rest-server.ts';
import { buildRoutes } from './rest/routes.ts';

/** After the drain time, for requests that are still being answered. */
const FINISH_LIMIT_MS = 20_000;

function buildQueue(
  { batch, queue: { maxDepth } }: RuntimeConfig,
  { executors }: ExecutorPool,
  observers: readonly BatchObserver[],
): InferQueue {
  return new InferQueue({ executors, batcher: new Batcher(batch), maxDepth, observers });
}

/** All parts of one server, started and drained together. */
export class RuntimeServer {
  readonly #config: RuntimeConfig;
  readonly #log: Logger;
  readonly #plan: ExecutorPlan;
  readonly #pool: ExecutorPool;
  readonly #dataPlane: DataPlane;
  readonly #rest: RestServer;
  readonly #management: ManagementServer;
  #model: LocalModel | undefined;

  constructor(config: RuntimeConfig, log: Logger, onFatal: (error: unknown) => void) {
    this.#config = config;
    this.#log = log;
    const { modelName, revision } = config;
    const traffic = new Traffic();
    this.#plan = planExecutors(countWholeCpus(readTextFile), config.executor);
    this.#pool = new ExecutorPool(this.#plan.executors, {
      log,
      onFatal,
      runTimeoutMs: config.executor.runTimeoutMs,
      onRestart: () => metrics.recordExecutorRestart(),
    });
    const queue = buildQueue(config, this.#pool, []);
    const dataPlane = new DataPlane({ ...config.queue, modelName, model: this.#pool, queue });
    const metrics = new Metrics({
      model: modelName,
      revision,
      latencyP95Ms: () => traffic.latencyP95Ms(performance.now()),
      queueDepth: () => queue.depth,
    });
    const requestsMaxBytes = config.requestsMaxBytes ?? shareOfMemory(process.constrainedMemory());
    const budget = new BodyBudget(config.requestMaxBytes, requestsMaxBytes);
    const service = new InferenceService({ dataPlane, revision, observers: [traffic, metrics], log });
    const inferRoute = new InferRoute(service, budget);
    this.#dataPlane = dataPlane;
    this.#rest = new RestServer({
      modelName,
      log,
      routes: buildRoutes(dataPlane, (exchange) => inferRoute.handle(exchange)),
      style: { revision, isClosing: () => dataPlane.isDraining },
      onConnection: () => traffic.recordConnection(performance.now()),
    });
    this.#management = new ManagementServer({
      revision,
      dataPlane,
      traffic,
      metrics,
      readModelDigest: () => this.#model?.digest ?? null,
      startedAtMs: performance.now(),
    });
  }

  /** Listens first, so that probes are answered while the model is fetched and loaded. Rejects with StartFailure. */
  async start(): Promise<void> {
    const port = await this.#rest.listen(this.#config.port);
    const managementPort = await this.#management.listen(this.#config.managementPort);
    this.#log.info('listening', { port, managementPort });
    const model = await fetchModel(this.#config.model);
    this.#model = model;
    const { threads } = this.#plan;
    this.#log.info('loading the model', { digest: model.digest, ...this.#plan });
    await this.#pool.start({
      load: { modelPath: model.path, threads, maxBatchRows: this.#config.batch.maxRows },
      verifyUnchanged: () => verifyUnchanged(model),
    });
  }

  /** Not ready at once, then serves on while proxies learn of it, then finishes what is in flight. */
  async drain(): Promise<void> {
    const hasServed = this.#dataPlane.isModelReady;
    this.#dataPlane.startDraining();
    this.#log.info('draining', { drainMs: hasServed ? this.#config.drainMs : 0 });
    if (hasServed) await wait(this.#config.drainMs);
    const force = setTimeout(() => this.#rest.closeByForce(), FINISH_LIMIT_MS);
    await this.#rest.close();
    clearTimeout(force);
    await this.#pool.close();
    this.#management.close();
    this.#log.info('drained');
  }
}
