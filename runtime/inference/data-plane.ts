import type { AnswerCache, PendingOutputs } from '../cache/answer-cache.ts';
import { RequestError } from '../errors.ts';
import type { ServedModel } from '../executor/executor-pool.ts';
import { compileInputRules, type InputCheck } from '../inputs/check.ts';
import type { InputRule } from '../inputs/settings.ts';
import { present } from '../output/present.ts';
import type { OutputSettings } from '../output/settings.ts';
import { deadlineOf } from '../queue/deadline.ts';
import type { InferQueue } from '../queue/queue.ts';
import type { ModelSignature, Tensor, TensorSpecification } from '../tensor/datatype.ts';
import { planInference, type InferWork } from '../tensor/validate.ts';
import type { InferAnswer, InferRequest } from './inference.ts';
import type { Journey } from './journey.ts';
import { buildModelConfig, type ModelConfig } from './model-config.ts';
import { refuseSequence } from './sequences.ts';

export const SERVER_NAME = 'headgate';
export const SERVER_VERSION = '0.1.0';
/** A server serves one model in one version: another version is another revision, with pods of its own. */
export const MODEL_VERSION = '1';
const PLATFORM = 'onnx_onnxv1';
/** By the names that clients of the protocol look for. */
export const EXTENSIONS = [
  'binary_tensor_data',
  'classification',
  'model_configuration',
  'model_repository',
  'parameters',
  'statistics',
];

export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
}

export interface RepositoryEntry {
  readonly name: string;
  readonly version: string;
  readonly state: 'READY' | 'UNAVAILABLE';
  readonly reason: string;
}

function toMetadata(specification: TensorSpecification): TensorMetadata {
  const shape = specification.shape.map((dimension) => (typeof dimension === 'number' ? dimension : -1));
  return { name: specification.name, datatype: specification.datatype, shape };
}

export interface DataPlaneOptions {
  readonly modelName: string;
  readonly model: ServedModel;
  readonly queue: InferQueue;
  /** Undefined: every request asks the model. */
  readonly cache: AnswerCache | undefined;
  /** From the arrival of a request to its answer, where it says nothing shorter; undefined: for ever. */
  readonly timeoutMs: number | undefined;
  readonly inputRules: readonly InputRule[];
  readonly output: OutputSettings;
}

/** The one path under every protocol: validate → queue → execute → present. */
export class DataPlane {
  readonly modelName: string;
  readonly #options: DataPlaneOptions;
  readonly #readinessListeners = new Set<() => void>();
  #inputChecks: ReadonlyMap<string, InputCheck> | undefined;
  #isDraining = false;

  constructor(options: DataPlaneOptions) {
    this.modelName = options.modelName;
    this.#options = options;
    options.model.onStateChange(() => this.#tellReadiness());
  }

  /** Call once the model is loaded. Throws StartFailure when its settings do not fit it. */
  prepare(): void {
    const { model, inputRules } = this.#options;
    const { signature } = model;
    if (signature === undefined) throw new Error('the model is not loaded');
    this.#inputChecks = compileInputRules(inputRules, signature);
    this.#tellReadiness();
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  get isModelReady(): boolean {
    return this.#inputChecks !== undefined && this.#options.model.isReady;
  }

  /** Whether new traffic should come here. */
  get isReady(): boolean {
    return this.isModelReady && !this.#isDraining;
  }

  /** From now on not ready, yet every request that comes is answered. */
  startDraining(): void {
    this.#isDraining = true;
    this.#tellReadiness();
  }

  /** Called when the readiness may have changed; what is returned ends that. */
  onReadinessChange(listener: () => void): () => void {
    this.#readinessListeners.add(listener);
    return () => this.#readinessListeners.delete(listener);
  }

  /** An empty version means any. */
  isServed(name: string, version: string): boolean {
    return name === this.modelName && (version === '' || version === MODEL_VERSION);
  }

  /** Throws RequestError when a request names another model or version than the one that is served. */
  requireModel(name: string, version: string): void {
    if (this.isServed(name, version)) return;
    if (name !== this.modelName)
      throw new RequestError(
        'UnknownModel',
        `model '${name.slice(0, 80)}' is not served here; expected '${this.modelName}'`,
      );
    throw new RequestError(
      'UnknownModelVersion',
      `model '${name}' has no version '${version.slice(0, 80)}'; expected '${MODEL_VERSION}' or none`,
    );
  }

  serverMetadata(): ServerMetadata {
    return { name: SERVER_NAME, version: SERVER_VERSION, extensions: EXTENSIONS };
  }

  modelMetadata(): ModelMetadata {
    const { inputs, outputs } = this.readSignature();
    return {
      name: this.modelName,
      versions: [MODEL_VERSION],
      platform: PLATFORM,
      inputs: inputs.map(toMetadata),
      outputs: outputs.map(toMetadata),
    };
  }

  /** What the model gives for a request. Throws RequestError at once when it cannot be admitted. */
  infer(request: InferRequest, journey: Journey): PendingOutputs {
    const { timeoutMs } = this.#options;
    const { arrivedAtMs, deadlineAtMs } = journey;
    refuseSequence(request.parameters);
    journey.deadlineAtMs = deadlineOf(request.parameters, { arrivedAtMs, deadlineAtMs, timeoutMs });
    const work = planInference(request, this.readSignature());
    for (const tensor of work.inputs) this.#inputChecks?.get(tensor.name)?.(tensor);
    return this.#ask(work, journey);
  }

  /** What the client gets of it. Throws RequestError. */
  present(request: InferRequest, modelOutputs: readonly Tensor[]): InferAnswer {
    const { outputs, predictions } = present(request, modelOutputs, this.#options.output);
    return {
      modelName: this.modelName,
      modelVersion: MODEL_VERSION,
      id: request.id,
      outputs,
      predictions,
    };
  }

  #ask(work: InferWork, journey: Journey): PendingOutputs {
    const { queue, cache } = this.#options;
    const run = (): PendingOutputs => {
      const job = queue.submit(work, journey);
      return { outputs: job.answer.promise, withdraw: () => queue.withdraw(job) };
    };
    return cache === undefined ? run() : cache.answer(work, journey, run);
  }

  repositoryIndex(): readonly RepositoryEntry[] {
    const state = this.isModelReady ? 'READY' : 'UNAVAILABLE';
    const reason = this.isModelReady ? '' : 'the model is not loaded';
    return [{ name: this.modelName, version: MODEL_VERSION, state, reason }];
  }

  /** A pod serves one model, and which one is for its ModelDeployment to say. */
  refuseManagement(): never {
    throw new RequestError(
      'ModelIsManaged',
      `model '${this.modelName}' is loaded and unloaded by its ModelDeployment, not by clients: change or delete that object`,
    );
  }

  modelConfig(): ModelConfig {
    const identity = { name: this.modelName, version: MODEL_VERSION, platform: PLATFORM };
    return buildModelConfig(identity, this.readSignature());
  }

  /** Throws RequestError while no model is loaded. */
  readSignature(): ModelSignature {
    const { signature } = this.#options.model;
    if (signature === undefined || this.#inputChecks === undefined) {
      throw new RequestError('ModelNotReady', 'the model is not ready', 1);
    }
    return signature;
  }

  #tellReadiness(): void {
    for (const listener of this.#readinessListeners) listener();
  }
}
