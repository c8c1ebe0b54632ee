import type { ServiceError } from '@grpc/grpc-js';
import { readSampleRow } from '../support/example-models.ts';
import { GrpcClient } from '../support/grpc-client.ts';
import type { LoadPlan } from './load-record.ts';

/** What came back, in the terms of HTTP; status 0 stands for no answer. */
export interface GrpcResult {
  readonly status: number;
  readonly revision: string;
  readonly problem: string;
}

/** Asks a model over gRPC, with one connection for each target, as clients of gRPC do. */
export class GrpcLoad {
  readonly #clients = new Map<string, GrpcClient>();
  readonly #plan: Pick<LoadPlan, 'host' | 'timeoutMs'>;
  readonly #message: object;

  constructor(model: string, plan: Pick<LoadPlan, 'host' | 'timeoutMs'>) {
    this.#plan = plan;
    const contents = { fp32_contents: readSampleRow() };
    const input = { name: 'X', datatype: 'FP32', shape: [1, 30], contents };
    this.#message = { model_name: model, inputs: [input] };
  }

  async ask(target: string): Promise<GrpcResult> {
    const deadline = new Date(Date.now() + this.#plan.timeoutMs);
    try {
      const { metadata } = await this.#clientOf(target).ask('ModelInfer', this.#message, { deadline });
      return { status: 200, revision: String(metadata.get('x-headgate-revision')[0] ?? ''), problem: '' };
    } catch (error) {
      const { code, details } = error as ServiceError;
      return { status: 0, revision: '', problem: `gRPC ${code}: ${details}` };
    }
  }

  #clientOf(target: string): GrpcClient {
    let client = this.#clients.get(target);
    if (client === undefined) {
      client = new GrpcClient(target, { 'grpc.default_authority': this.#plan.host });
      this.#clients.set(target, client);
    }
    return client;
  }
}
