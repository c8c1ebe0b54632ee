import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'winston';
import { Batcher } from './batching/batcher.ts';
import type { RuntimeConfig } from './config/config.ts';
import { DataPlane } from './inference/data-plane.ts';
import { ExecutorPool } from './executor/executor-pool.ts';
import { countThreads, readTextFile } from './executor/threads.ts';
import { InferenceService } from './inference/inference-service.ts';
import { Statistics } from './inference/statistics.ts';
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

interface Surroundings {
  readonly log: Logger;
  /** Ends the process: the server cannot go on. */
  readonly onFatal: (error: unknown) => void;
}

/** All parts of one server, started and drained together. */
export class RuntimeServer {
  readonly #config: RuntimeConfig;
  readonly #log: Logger;
  readonly #traffic = new Traffic();
  readonly #statistics = new Statistics();
  readonly #metrics: Metrics;
  readonly #pool: ExecutorPool;
  readonly #queue: InferQueue;
  readonly #dataPlane: DataPlane;
  readonly #rest: RestServer;
  readonly #management: ManagementServer;
  #model: LocalModel | undefined;

  constructor(config: RuntimeConfig, { log, onFatal }: Surroundings) {
    this.#config = config;
    this.#log = log;
    this.#pool = new ExecutorPool(1, {
      log,
      onFatal,
      runTimeoutMs: config.runTimeoutMs,
      onRestart: () => this.#metrics.recordExecutorRestart(),
    });
    this.#queue = this.#buildQueue();
    this.#metrics = new Metrics({
      model: config.modelName,
      revision: config.revision,
      latencyP95Ms: () => this.#traffic.latencyP95Ms(performance.now()),
      queueDepth: () => this.#queue.depth,
    });
    this.#dataPlane = new DataPlane({
      modelName: config.modelName,
      model: this.#pool,
      queue: this.#queue,
      timeoutMs: config.queue.timeoutMs,
      inputRules: config.inputs,
      output: config.output,
    });
    this.#rest = this.#buildRest();
    this.#management = this.#buildManagement();
  }

  /** Listens first, so that probes are answered while the model is fetched and loaded. Rejects with StartFailure. */
  async start(): Promise<void> {
    const port = await this.#rest.listen(this.#config.port);
    const managementPort = await this.#management.listen(this.#config.managementPort);
    this.#log.info('listening', { port, managementPort });
    const model = await fetchModel(this.#config.model);
    this.#model = model;
    const threads = this.#config.threads ?? countThreads(readTextFile);
    this.#log.info('loading the model', { digest: model.digest, threads });
    await this.#pool.start({
      load: { modelPath: model.path, threads, maxBatchRows: this.#config.batch.maxRows },
      verifyUnchanged: () => verifyUnchanged(model),
    });
    this.#dataPlane.prepare();
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

  #buildQueue(): InferQueue {
    const { batch, queue } = this.#config;
    return new InferQueue({
      executors: this.#pool.executors,
      batcher: new Batcher(batch),
      maxDepth: queue.maxDepth,
      observers: [this.#statistics],
    });
  }

  #buildRest(): RestServer {
    const { modelName, revision, requestMaxBytes, requestsMaxBytes } = this.#config;
    const dataPlane = this.#dataPlane;
    const statistics = this.#statistics;
    const observers = [this.#traffic, this.#metrics, statistics];
    const service = new InferenceService({ dataPlane, revision, observers, log: this.#log });
    const totalMaxBytes = requestsMaxBytes ?? shareOfMemory(process.constrainedMemory());
    const inferRoute = new InferRoute({
      service,
      budget: new BodyBudget(requestMaxBytes, totalMaxBytes),
      readSignature: () => dataPlane.readSignature(),
    });
    return new RestServer({
      modelName,
      log: this.#log,
      routes: buildRoutes({
        dataPlane,
        statistics,
        revision,
        infer: (exchange) => inferRoute.handle(exchange),
      }),
      style: { revision, isClosing: () => dataPlane.isDraining },
      onConnection: () => this.#traffic.recordConnection(performance.now()),
    });
  }

  #buildManagement(): ManagementServer {
    return new ManagementServer({
      revision: this.#config.revision,
      dataPlane: this.#dataPlane,
      traffic: this.#traffic,
      metrics: this.#metrics,
      readModelDigest: () => this.#model?.digest ?? null,
      startedAtMs: performance.now(),
    });
  }
}
