import { stat } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'winston';
import { Batcher } from './batching/batcher.ts';
import { BodyBudget, shareOfMemory } from './body/budget.ts';
import type { RuntimeConfig } from './config/config.ts';
import { DataPlane } from './inference/data-plane.ts';
import { Intake } from './intake/intake.ts';
import { ExecutorPool } from './executor/executor-pool.ts';
import { countWholeCpus, readTextFile } from './executor/cpu-limit.ts';
import { MOST_EXECUTORS, planExecutors, type ExecutorPlan } from './executor/executor-plan.ts';
import { checkGoldenSets, readGoldenSets } from './golden/golden-data.ts';
import { buildMethods } from './grpc/methods/methods.ts';
import { GrpcServer } from './grpc/transport/grpc-server.ts';
import { AnswerCache } from './cache/answer-cache.ts';
import type { AnswerStore } from './cache/answer-store.ts';
import { buildAnswerStore } from './cache/build-store.ts';
import { InferenceService } from './inference/inference-service.ts';
import { ManagementServer } from './management/management-server.ts';
import { TokenGuard } from './management/token-guard.ts';
import { fetchModel, verifyUnchanged, type LocalModel } from './model-source/model-source.ts';
import { InferQueue } from './queue/queue.ts';
import type { Exchange } from './rest/exchange.ts';
import { InferRoute } from './rest/infer-route.ts';
import { RestServer } from './rest/rest-server.ts';
import { buildRoutes } from './rest/routes.ts';
import type { ModelSignature } from './tensor/datatype.ts';
import { Watchers } from './watchers.ts';

/** After the drain time, for requests that are still being answered. */
const FINISH_LIMIT_MS = 20_000;
/**
 * Of the drain time, before clients over gRPC are asked to connect anew: by then proxies know that this server leaves,
 * and this server still takes whoever comes back all the same.
 */
const GRPC_STAYS_FOR = 0.8;

interface Surroundings {
  readonly log: Logger;
  /** Ends the process: the server cannot go on. */
  readonly onFatal: (error: unknown) => void;
}

/** All parts of one server, started and drained together. */
export class RuntimeServer {
  readonly #config: RuntimeConfig;
  readonly #log: Logger;
  readonly #pool: ExecutorPool;
  readonly #queue: InferQueue;
  readonly #intake: Intake;
  readonly #dataPlane: DataPlane;
  readonly #service: InferenceService;
  readonly #rest: RestServer;
  readonly #grpc: GrpcServer;
  readonly #management: ManagementServer;
  readonly #watchers: Watchers;
  #model: LocalModel | undefined;
  #answers: AnswerStore | undefined;

  constructor(config: RuntimeConfig, { log, onFatal }: Surroundings) {
    this.#config = config;
    this.#log = log;
    this.#pool = new ExecutorPool(config.executor.executors ?? MOST_EXECUTORS, {
      log,
      onFatal,
      loadTimeoutMs: config.executor.loadTimeoutMs,
      runTimeoutMs: config.executor.runTimeoutMs,
      onRestart: () => this.#watchers.metrics.recordExecutorRestart(),
    });
    this.#watchers = new Watchers(config, log, {
      queueDepth: () => this.#queue.depth + this.#intake.length,
      modelDigest: () => this.#model?.digest ?? null,
    });
    this.#watchers.show(this.#pool);
    this.#queue = this.#buildQueue();
    this.#intake = new Intake(this.#queue, config.queue.maxDepth);
    this.#dataPlane = new DataPlane({
      modelName: config.modelName,
      model: this.#pool,
      queue: this.#queue,
      cache: this.#buildCache(),
      timeoutMs: config.queue.timeoutMs,
      inputRules: config.inputs,
      output: config.output,
    });
    this.#service = new InferenceService({
      dataPlane: this.#dataPlane,
      intake: this.#intake,
      timeoutMs: config.queue.timeoutMs,
      revision: config.revision,
      observers: this.#watchers.observers,
      log,
    });
    const protocols = this.#buildProtocols();
    this.#rest = protocols.rest;
    this.#grpc = protocols.grpc;
    this.#management = this.#buildManagement();
  }

  /** Listens first, so that probes are answered while the model is fetched and loaded. Rejects with StartFailure. */
  async start(): Promise<void> {
    const port = await this.#rest.listen(this.#config.port);
    const grpcPort = await this.#grpc.listen(this.#config.grpcPort);
    const managementPort = await this.#management.listen(this.#config.managementPort);
    this.#log.info('listening', { port, grpcPort, managementPort });
    const model = await fetchModel(this.#config.model);
    this.#model = model;
    await this.#watchers.prepare(model.path);
    const plan = await this.#planExecutors(model);
    this.#log.info('loading the model', { digest: model.digest, ...plan });
    const { batch, executor } = this.#config;
    const load = {
      ...{ modelPath: model.path, threads: plan.threads },
      ...{ maxBatchRows: batch.maxRows, session: executor.session },
    };
    await this.#pool.start(plan.executors, { load, verifyUnchanged: () => verifyUnchanged(model) });
    await this.#checkGoldenData(model.path);
    this.#dataPlane.prepare();
  }

  /** Not ready at once, then serves on while proxies learn of it, then finishes what is in flight. */
  async drain(): Promise<void> {
    const hasServed = this.#dataPlane.isModelReady;
    this.#dataPlane.startDraining();
    this.#log.info('draining', { drainMs: hasServed ? this.#config.drainMs : 0 });
    if (hasServed) {
      await wait(GRPC_STAYS_FOR * this.#config.drainMs);
      this.#grpc.sendClientsAway();
      await wait((1 - GRPC_STAYS_FOR) * this.#config.drainMs);
    }
    const force = setTimeout(() => this.#closeByForce(), FINISH_LIMIT_MS);
    await Promise.all([this.#rest.close(), this.#grpc.close()]);
    clearTimeout(force);
    this.#service.close();
    this.#answers?.close();
    await this.#pool.close();
    await this.#watchers.close();
    this.#management.close();
    this.#log.info('drained');
  }

  async #checkGoldenData(modelPath: string): Promise<void> {
    const [executor] = this.#pool.executors;
    const { signature } = this.#pool;
    const sets = await readGoldenSets(modelPath);
    if (executor === undefined || signature === undefined || sets.length === 0) return;
    await checkGoldenSets(sets, {
      signature,
      run: async (work) => (await executor.run([work])).outputs,
      isOnDevice: executor.provider !== 'cpu',
    });
    this.#log.info('the model answers its golden data as it did where it was made', { sets: sets.length });
  }

  #buildQueue(): InferQueue {
    const { batch, queue } = this.#config;
    return new InferQueue({
      executors: this.#pool.executors,
      batcher: new Batcher(batch),
      maxDepth: queue.maxDepth,
      observers: [this.#watchers.metrics, this.#watchers.statistics],
    });
  }

  #closeByForce(): void {
    this.#rest.closeByForce();
    this.#grpc.closeByForce();
  }

  #buildCache(): AnswerCache | undefined {
    const { cache } = this.#config;
    if (cache === undefined) return undefined;
    this.#answers = buildAnswerStore(cache, this.#log);
    this.#watchers.show(this.#answers);
    return new AnswerCache(this.#answers, () => this.#model?.digest ?? '');
  }

  async #planExecutors(model: LocalModel): Promise<ExecutorPlan> {
    const { size } = await stat(model.path);
    const container = {
      wholeCpus: countWholeCpus(readTextFile),
      memoryBytes: process.constrainedMemory() || undefined,
      modelBytes: size,
      isOnDevice: this.#config.executor.session.providers[0] !== 'cpu',
    };
    return planExecutors(container, this.#config.executor);
  }

  /** REST and gRPC: one way for their requests, one budget for what these weigh, one count of their connections. */
  #buildProtocols(): { rest: RestServer; grpc: GrpcServer } {
    const { modelName, revision, requestMaxBytes, requestsMaxBytes } = this.#config;
    const dataPlane = this.#dataPlane;
    const { statistics, traffic } = this.#watchers;
    const log = this.#log;
    const service = this.#service;
    const totalMaxBytes = requestsMaxBytes ?? shareOfMemory(process.constrainedMemory());
    const budget = new BodyBudget(requestMaxBytes, totalMaxBytes);
    const readSignature = (): ModelSignature => dataPlane.readSignature();
    const inferRoute = new InferRoute({ service, budget, readSignature });
    const infer = (exchange: Exchange): Promise<void> => inferRoute.handle(exchange);
    const onConnection = (): void => traffic.recordConnection(performance.now());
    const rest = new RestServer({
      ...{ modelName, log, onConnection },
      routes: this.#watchers.addRoutes(buildRoutes({ dataPlane, statistics, revision, infer })),
      style: { revision, isClosing: () => dataPlane.isDraining },
    });
    const methods = buildMethods({ dataPlane, service, statistics });
    const grpc = new GrpcServer({ methods, revision, budget, log, onConnection });
    return { rest, grpc };
  }

  #buildManagement(): ManagementServer {
    const { revision, managementTokenFile } = this.#config;
    return new ManagementServer({
      revision,
      dataPlane: this.#dataPlane,
      watchers: this.#watchers,
      readModelDigest: () => this.#model?.digest ?? null,
      startedAtMs: performance.now(),
      guard: managementTokenFile === undefined ? undefined : new TokenGuard(managementTokenFile),
    });
  }
}
