import type { RequestError } from '../../errors.ts';
import type { DataPlane } from '../../inference/data-plane.ts';
import type { InferAnswer, InferRequest } from '../../inference/inference.ts';
import type { InferenceCall, InferenceService } from '../../inference/inference-service.ts';
import type { Body } from '../../body/budget.ts';
import { writeInferAnswer } from '../messages/infer-answer.ts';
import { readInferRequest, type Form } from '../messages/infer-request.ts';
import type { GrpcCall } from '../transport/call.ts';
import type { Method } from '../transport/grpc-server.ts';

const NOTHING = Buffer.alloc(0);

/** ModelInfer. The message counts against the budget until the call is over. */
class GrpcInference implements InferenceCall {
  readonly protocol = 'grpc';
  readonly form = 'Grpc';
  readonly isLaterInStream = false;
  readonly requestId: string;
  readonly header: InferenceCall['header'];
  readonly onHangUp: InferenceCall['onHangUp'];
  readonly #call: GrpcCall;
  readonly #dataPlane: DataPlane;
  #body: Body | undefined;
  #form: Form = 'Raw';
  /** The run of a request that has its answer is over, and with it the last use of the tensors in its message. */
  #isAnswered = false;

  constructor(call: GrpcCall, dataPlane: DataPlane) {
    this.#call = call;
    this.#dataPlane = dataPlane;
    this.requestId = call.requestId;
    this.header = call.header;
    this.onHangUp = call.onHangUp;
  }

  get isClientGone(): boolean {
    return this.#call.isClientGone;
  }

  get deadlineAtMs(): number | undefined {
    return this.#call.deadlineAtMs;
  }

  readonly receive = async (announce: (bytes: number) => void): Promise<number> => {
    this.#body = await this.#call.receive(announce);
    return this.#body.bytes.length;
  };

  readonly parse = (): InferRequest => {
    const { modelName, modelVersion, form, request } = readInferRequest(this.#body?.bytes ?? NOTHING);
    this.#dataPlane.requireModel(modelName, modelVersion);
    this.#form = form;
    return request;
  };

  readonly deliver = (answer: InferAnswer): Promise<void> => {
    this.#isAnswered = true;
    return this.#call.answer(writeInferAnswer(answer, this.#form));
  };

  readonly refuse = (error: RequestError): void => this.#call.fail(error);

  close(): void {
    this.#body?.release(this.#isAnswered);
  }
}

export function inferMethod(service: InferenceService, dataPlane: DataPlane): Method {
  return async (call) => {
    const inference = new GrpcInference(call, dataPlane);
    try {
      await service.handle(inference);
    } finally {
      inference.close();
    }
  };
}
