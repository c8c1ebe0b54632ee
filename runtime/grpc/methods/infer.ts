import type { RequestError } from '../../errors.ts';
import type { DataPlane } from '../../inference/data-plane.ts';
import type { InferAnswer, InferRequest } from '../../inference/inference.ts';
import type { InferenceCall, InferenceService } from '../../inference/inference-service.ts';
import type { Body } from '../../body/budget.ts';
import type { Reading } from '../../intake/reading.ts';
import { writeInferAnswer } from '../messages/infer-answer.ts';
import { readInferRequest, type Form } from '../messages/infer-request.ts';
import type { GrpcCall } from '../transport/call.ts';
import type { Method } from '../transport/grpc-server.ts';

/** Knows which model is served here. */
export type ServedName = Pick<DataPlane, 'requireModel'>;

const NOTHING = Buffer.alloc(0);

/** ModelInfer. The message counts against the budget until the call is over. */
class GrpcInference implements InferenceCall {
  readonly protocol = 'grpc';
  readonly form = 'Grpc';
  readonly turnsToLeave = 2;
  readonly isLaterInStream = false;
  readonly requestId: string;
  readonly header: InferenceCall['header'];
  readonly #call: GrpcCall;
  readonly #dataPlane: ServedName;
  #body: Body | undefined;
  #form: Form = 'Raw';
  /** The run of a request that has its answer is over, and with it the last use of the tensors in its message. */
  #isAnswered = false;

  constructor(call: GrpcCall, dataPlane: ServedName) {
    this.#call = call;
    this.#dataPlane = dataPlane;
    this.requestId = call.requestId;
    this.header = call.header;
  }

  get isClientGone(): boolean {
    return this.#call.isClientGone;
  }

  get deadlineAtMs(): number | undefined {
    return this.#call.deadlineAtMs;
  }

  async receive(reading: Reading): Promise<number> {
    this.#body = await this.#call.receive((bytes) => reading.announce(bytes, performance.now()));
    return this.#body.bytes.length;
  }

  parse(): InferRequest {
    const { modelName, modelVersion, form, request } = readInferRequest(this.#body?.bytes ?? NOTHING);
    this.#dataPlane.requireModel(modelName, modelVersion);
    this.#form = form;
    return request;
  }

  onHangUp(listener: () => void): void {
    this.#call.onHangUp(listener);
  }

  deliver(answer: InferAnswer): Promise<void> | undefined {
    this.#isAnswered = true;
    return this.#call.answer(writeInferAnswer(answer, this.#form));
  }

  refuse(error: RequestError): void {
    this.#call.fail(error);
  }

  close(): void {
    this.#body?.release(this.#isAnswered);
  }
}

export function inferMethod(service: InferenceService, dataPlane: ServedName): Method {
  return (call) => service.handle(new GrpcInference(call, dataPlane));
}
