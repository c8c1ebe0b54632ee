import { MODEL_VERSION, type DataPlane } from '../../inference/data-plane.ts';
import type { InferenceService } from '../../inference/inference-service.ts';
import type { Statistics } from '../../inference/statistics.ts';
import { writeModelConfig, writeModelStatistics, writeRepositoryIndex } from '../messages/model-messages.ts';
import {
  readModelName,
  writeFlag,
  writeModelMetadata,
  writeServerMetadata,
  type ModelName,
} from '../messages/server-messages.ts';
import type { Method } from '../transport/grpc-server.ts';
import { Health } from './health.ts';
import { inferMethod } from './infer.ts';
import { inferStreamMethod } from './infer-stream.ts';
import { INFERENCE_SERVICE } from './names.ts';
import { notOffered, refuse } from './not-offered.ts';
import { reflectionMethods } from './reflection.ts';
import { unary } from './unary.ts';

export interface MethodsOptions {
  readonly dataPlane: DataPlane;
  readonly service: InferenceService;
  readonly statistics: Statistics;
}

/** A model that is not known is not ready, and asking is no mistake. */
function isModelReady(dataPlane: DataPlane, { name, version }: ModelName): boolean {
  return dataPlane.isServed(name, version) && dataPlane.isReady;
}

/** What is asked about a model by name and version; those of another one are refused. */
function aboutModel(dataPlane: DataPlane, read: () => Buffer): Method {
  return unary((message) => {
    const { name, version } = readModelName(message);
    dataPlane.requireModel(name, version);
    return read();
  });
}

/** Triton's extensions. */
function extensionMethods({ dataPlane, service, statistics }: MethodsOptions): Record<string, Method> {
  const { modelName } = dataPlane;
  const refuseManagement = unary(() => dataPlane.refuseManagement());
  return {
    ModelStreamInfer: inferStreamMethod(service, dataPlane),
    ModelConfig: aboutModel(dataPlane, () => writeModelConfig(dataPlane.modelConfig())),
    // Without a name: of every model.
    ModelStatistics: unary((message) => {
      const { name, version } = readModelName(message);
      if (name !== '') dataPlane.requireModel(name, version);
      return writeModelStatistics(statistics.read(modelName, MODEL_VERSION));
    }),
    RepositoryIndex: unary(() => writeRepositoryIndex(dataPlane.repositoryIndex())),
    RepositoryModelLoad: refuseManagement,
    RepositoryModelUnload: refuseManagement,
    ...Object.fromEntries(Object.entries(notOffered).map(([name, sentence]) => [name, refuse(sentence)])),
  };
}

/** Every method that this server answers, by path. */
export function buildMethods(options: MethodsOptions): ReadonlyMap<string, Method> {
  const { dataPlane, service } = options;
  const inference: Record<string, Method> = {
    ServerLive: unary(() => writeFlag(true)),
    ServerReady: unary(() => writeFlag(dataPlane.isReady)),
    ModelReady: unary((message) => writeFlag(isModelReady(dataPlane, readModelName(message)))),
    ServerMetadata: unary(() => writeServerMetadata(dataPlane.serverMetadata())),
    ModelMetadata: aboutModel(dataPlane, () => writeModelMetadata(dataPlane.modelMetadata())),
    ModelInfer: inferMethod(service, dataPlane),
    ...extensionMethods(options),
  };
  return new Map([
    ...Object.entries(inference).map(([name, method]) => [`/${INFERENCE_SERVICE}/${name}`, method] as const),
    ...new Health(dataPlane).methods(),
    ...reflectionMethods,
  ]);
}
