import { RequestError } from '../errors.ts';
import type { InferAnswer, InferRequest } from '../inference/inference.ts';
import type { InferenceCall, InferenceService } from '../inference/inference-service.ts';
import { parseInferRequest } from '../tensor/infer-request.ts';
import { writeInferAnswer } from '../tensor/infer-response.ts';
import { readBody, type Body, type BodyBudget } from './body.ts';
import type { Exchange } from './exchange.ts';

const JSON_CONTENT = /^application\/(?:[a-z0-9.+-]+\+)?json\s*(?:;|$)/iu;

/** Clients of the protocol often name no type at all; whoever names another one means something else. */
function checkContent(exchange: Exchange): void {
  const contentType = exchange.header('content-type');
  if (contentType !== undefined && !JSON_CONTENT.test(contentType)) {
    throw new RequestError(
      'UnsupportedContent',
      `expected content-type application/json, got '${contentType}'`,
    );
  }
  const encoding = exchange.header('content-encoding');
  if (encoding !== undefined && encoding !== 'identity') {
    throw new RequestError('UnsupportedContent', `expected no content-encoding, got '${encoding}'`);
  }
  if (exchange.header('inference-header-content-length') !== undefined) {
    throw new RequestError('UnsupportedContent', 'binary tensor data is not supported; send tensors as JSON');
  }
}

/** One infer request over HTTP. Its body counts against the budget until the call is over. */
class RestCall implements InferenceCall {
  readonly protocol = 'rest';
  /** HTTP has none; the request's parameter `timeout` can say one. */
  readonly deadlineAtMs = undefined;
  readonly requestId: string;
  readonly #exchange: Exchange;
  readonly #budget: BodyBudget;
  #body: Body | undefined;

  constructor(exchange: Exchange, budget: BodyBudget) {
    this.#exchange = exchange;
    this.#budget = budget;
    this.requestId = exchange.requestId;
  }

  get isClientGone(): boolean {
    return this.#exchange.isClientGone;
  }

  readonly header = (name: string): string | undefined => this.#exchange.header(name);

  readonly read = async (): Promise<InferRequest> => {
    checkContent(this.#exchange);
    this.#body = await readBody(this.#exchange.request, this.#budget);
    return parseInferRequest(this.#body.bytes);
  };

  readonly onHangUp = (listener: () => void): void => {
    this.#exchange.response.once('close', listener);
  };

  readonly deliver = (answer: InferAnswer): void => this.#exchange.answer(200, writeInferAnswer(answer));

  readonly refuse = (error: RequestError): void => {
    this.#exchange.answerError(error);
  };

  close(): void {
    this.#body?.release();
  }
}

/** POST …/infer. */
export class InferRoute {
  readonly #service: InferenceService;
  readonly #budget: BodyBudget;

  constructor(service: InferenceService, budget: BodyBudget) {
    this.#service = service;
    this.#budget = budget;
  }

  async handle(exchange: Exchange): Promise<void> {
    const call = new RestCall(exchange, this.#budget);
    try {
      await this.#service.handle(call);
    } finally {
      call.close();
    }
  }
}
