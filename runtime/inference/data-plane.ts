import { RequestError } from '../errors.ts';
import { InvalidInputError } from '../executor/executor.ts';
import type { ServedModel } from '../executor/executor-pool.ts';
import { deadlineOf } from '../queue/deadline.ts';
import type { InferQueue } from '../queue/queue.ts';
import type { ModelSignature, TensorSpecification } from '../tensor/datatype.ts';
import { planInference } from '../tensor/validate.ts';
import type { InferAnswer, InferRequest } from './inference.ts';
import type { Journey } from './journey.ts';

export const SERVER_NAME = 'headgate';
export const SERVER_VERSION = '0.1.0';
/** A server serves one model in one version: another version is another revision, with pods of its own. */
export const MODEL_VERSION = '1';
const PLATFORM = 'onnx_onnxv1';
/** By the names that clients of the protocol look for. */
const EXTENSIONS = ['binary_tensor_data'];

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

export interface PendingAnswer {
  readonly answer: Promise<InferAnswer>;
  /** The client is gone: forget the request if it still waits. */
  withdraw(): void;
}

function toMetadata(specification: TensorSpecification): TensorMetadata {
  const shape = specification.shape.map((dimension) => (typeof dimension === 'number' ? dimension : -1));
  return { name: specification.name, datatype: specification.datatype, shape };
}

function asRequestError(error: unknown): unknown {
  if (!(error instanceof InvalidInputError)) return error;
  return new RequestError('InvalidTensor', `the model does not take these shapes: ${error.message}`);
}

export interface DataPlaneOptions {
  readonly modelName: string;
  readonly model: ServedModel;
  readonly queue: InferQueue;
  /** From the arrival of a request to its answer, where it says nothing shorter; undefined: for ever. */
  readonly timeoutMs: number | undefined;
}

/** The one path under every protocol: validate → queue → execute → answer. */
export class DataPlane {
  readonly #options: DataPlaneOptions;
  #isDraining = false;

  constructor(options: DataPlaneOptions) {
    this.#options = options;
  }

  get modelName(): string {
    return this.#options.modelName;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  get isModelReady(): boolean {
    return this.#options.model.isReady;
  }

  /** Whether new traffic should come here. */
  get isReady(): boolean {
    return this.isModelReady && !this.#isDraining;
  }

  /** From now on not ready, yet every request that comes is answered. */
  startDraining(): void {
    this.#isDraining = true;
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

  /** Throws RequestError at once when the request cannot be admitted. */
  infer(request: InferRequest, journey: Journey): PendingAnswer {
    const { queue, timeoutMs } = this.#options;
    const { arrivedAtMs, deadlineAtMs } = journey;
    journey.deadlineAtMs = deadlineOf(request.parameters, { arrivedAtMs, deadlineAtMs, timeoutMs });
    const job = queue.submit(planInference(request, this.readSignature()), journey);
    const answer = job.answer.promise.then(
      (outputs) => ({ modelName: this.modelName, modelVersion: MODEL_VERSION, id: request.id, outputs }),
      (error: unknown) => {
        throw asRequestError(error);
      },
    );
    return { answer, withdraw: () => queue.withdraw(job) };
  }

  /** Throws RequestError while no model is loaded. */
  readSignature(): ModelSignature {
    const { signature } = this.#options.model;
    if (signature === undefined) throw new RequestError('ModelNotReady', 'the model is not ready', 1);
    return signature;
  }
}
