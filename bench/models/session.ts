import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { BenchTensor, Outputs } from '../wire/wire.ts';
import type { BenchModel } from './models.ts';

function toOnnx({ data, shape }: BenchTensor): Tensor {
  return data instanceof Float32Array ? new Tensor('float32', data, shape) : new Tensor('int64', data, shape);
}

/** ONNX Runtime and nothing else: what the answers of servers are held to, and what they cost at least. */
export class BareSession {
  readonly #session: InferenceSession;
  readonly #feeds: Record<string, Tensor>;

  private constructor(session: InferenceSession, model: BenchModel) {
    this.#session = session;
    this.#feeds = Object.fromEntries(model.inputs.map((input) => [input.name, toOnnx(input)]));
  }

  static async open(model: BenchModel): Promise<BareSession> {
    const session = await InferenceSession.create(model.file, {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
    });
    return new BareSession(session, model);
  }

  async run(): Promise<Outputs> {
    const results = await this.#session.run(this.#feeds);
    return new Map(
      Object.entries(results).map(([name, { data }]) => [name, Array.from(data as Float32Array, Number)]),
    );
  }

  /** Without looking at the answer. */
  async spin(): Promise<void> {
    await this.#session.run(this.#feeds);
  }
}
