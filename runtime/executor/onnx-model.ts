import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node';
import type { Datatype, ModelSignature, Tensor, TensorSpecification } from '../tensor/datatype.ts';
import type { InferWork } from '../tensor/validate.ts';
import type { LoadMessage } from './messages.ts';
import { openWithFirstUsable, wordsOfProvider, type ExecutionProvider } from './execution-providers.ts';
import { sampleWork } from './sample.ts';
import { defaultSession, type SessionSettings } from './session-settings.ts';

/** The only module that knows ONNX Runtime. It is loaded in the executor's process alone. */

// ONNX Runtime 1.30 makes FP16 tensors of Node 24's Float16Array, which its own native part then reads as empty;
// without the class it keeps to Uint16Array, which works.
Reflect.deleteProperty(globalThis, 'Float16Array');

const datatypeOfOnnxType = new Map<string, Datatype>([
  ['bool', 'BOOL'],
  ['uint8', 'UINT8'],
  ['uint16', 'UINT16'],
  ['uint32', 'UINT32'],
  ['uint64', 'UINT64'],
  ['int8', 'INT8'],
  ['int16', 'INT16'],
  ['int32', 'INT32'],
  ['int64', 'INT64'],
  ['float16', 'FP16'],
  ['float32', 'FP32'],
  ['float64', 'FP64'],
  ['string', 'BYTES'],
]);

const onnxTypeOfDatatype = new Map(
  [...datatypeOfOnnxType].map(([onnxType, datatype]) => [datatype, onnxType]),
);

/** Type 16 of the ONNX TensorProto: the binding names it by its number only. */
const BFLOAT16_MESSAGE = /Unsupported data type: 16/u;

function describeValue(kind: string, metadata: InferenceSession.ValueMetadata): TensorSpecification {
  if (!metadata.isTensor) {
    throw new Error(
      `${kind} '${metadata.name}' is a sequence, map or optional, and only tensors can be served`,
    );
  }
  const datatype = datatypeOfOnnxType.get(metadata.type);
  if (datatype === undefined) {
    throw new Error(
      `${kind} '${metadata.name}' has type ${metadata.type}, which the Open Inference Protocol does not have`,
    );
  }
  // A dynamic dimension without a name arrives as an empty string.
  const shape = metadata.shape.map((dimension) => (dimension === '' ? -1 : dimension));
  return { name: metadata.name, datatype, shape };
}

function describeModel(session: InferenceSession): ModelSignature {
  const tensorOutputs = session.outputMetadata.filter(({ isTensor }) => isTensor);
  if (tensorOutputs.length === 0) {
    throw new Error(
      'no output of the model is a tensor (scikit-learn models: convert with the option zipmap=False)',
    );
  }
  return {
    inputs: session.inputMetadata.map((metadata) => describeValue('input', metadata)),
    outputs: tensorOutputs.map((metadata) => describeValue('output', metadata)),
  };
}

function toOnnx(tensor: Tensor): OnnxTensor {
  const type = onnxTypeOfDatatype.get(tensor.datatype) as OnnxTensor.Type;
  return new OnnxTensor(type, tensor.data, tensor.shape);
}

function fromOnnx(name: string, tensor: OnnxTensor): Tensor {
  const datatype = datatypeOfOnnxType.get(tensor.type);
  if (datatype === undefined) throw new Error(`output '${name}' has type ${tensor.type}`);
  return { name, datatype, shape: tensor.dims, data: tensor.data };
}

export interface OnnxModelOptions extends Pick<LoadMessage, 'modelPath' | 'threads'> {
  readonly session?: SessionSettings;
}

function createSession(
  provider: ExecutionProvider,
  { modelPath, threads, session = defaultSession }: OnnxModelOptions,
): Promise<InferenceSession> {
  return InferenceSession.create(modelPath, {
    executionProviders: [provider],
    graphOptimizationLevel: session.graphOptimization,
    enableCpuMemArena: session.memoryArena,
    enableMemPattern: session.memoryPattern,
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  });
}

export class OnnxModel {
  readonly signature: ModelSignature;
  /** Where it runs. */
  readonly provider: ExecutionProvider;
  /** The providers that were tried before, each with what it said. */
  readonly passedOver: readonly string[];
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession, provider: ExecutionProvider, passedOver: readonly string[]) {
    this.#session = session;
    this.provider = provider;
    this.passedOver = passedOver;
    this.signature = describeModel(session);
  }

  /** Throws with a message for the user when the file cannot be served, ProviderMissingError when nothing can run it. */
  static async load(options: OnnxModelOptions): Promise<OnnxModel> {
    const { providers } = options.session ?? defaultSession;
    try {
      return await openWithFirstUsable(providers, async (provider, passedOver) => {
        const model = await OnnxModel.open(provider, options, passedOver);
        if (provider !== 'cpu') await model.#tryDevice();
        return model;
      });
    } catch (error) {
      const { message } = error as Error;
      if (!BFLOAT16_MESSAGE.test(message)) throw error;
      throw new Error(
        'an input or output is bfloat16, which ONNX Runtime for Node cannot pass; cast it to float32',
        { cause: error },
      );
    }
  }

  /** A session of this provider, which has run nothing yet. */
  static async open(
    provider: ExecutionProvider,
    options: OnnxModelOptions,
    passedOver: readonly string[] = [],
  ): Promise<OnnxModel> {
    return new OnnxModel(await createSession(provider, options), provider, passedOver);
  }

  /** A session that opens proves little of a device: its libraries are loaded, and its memory is taken, by the first run. */
  async #tryDevice(): Promise<void> {
    try {
      await this.warmUp();
    } catch (error) {
      // What the model itself cannot do on zeros is for the warm-up to say, which comes next.
      if (wordsOfProvider((error as Error).message) === undefined) return;
      await this.release();
      throw error;
    }
  }

  /** Gives its memory back. Pre: nothing runs, and nothing will. */
  async release(): Promise<void> {
    await this.#session.release();
  }

  /** One run on zeros, dynamic dimensions 1: the first request of a user must not be the first of the model. */
  async warmUp(): Promise<void> {
    await this.run(sampleWork(this.signature, 0));
  }

  async run(work: InferWork): Promise<Tensor[]> {
    const feeds: Record<string, OnnxTensor> = {};
    for (const tensor of work.inputs) feeds[tensor.name] = toOnnx(tensor);
    const results = await this.#session.run(feeds, work.outputNames);
    return work.outputNames.map((name) => {
      const result = results[name];
      if (result === undefined) throw new Error(`the model gave no output '${name}'`);
      return fromOnnx(name, result);
    });
  }
}
