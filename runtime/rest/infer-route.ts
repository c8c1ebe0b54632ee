import type { Body, BodyBudget } from '../body/budget.ts';
import { chooseCoding, encodeBody } from '../body/compression.ts';
import { countBytes, joinPieces } from '../body/pieces.ts';
import { RequestError } from '../errors.ts';
import type { InferAnswer, InferRequest } from '../inference/inference.ts';
import type { InferenceCall, InferenceService } from '../inference/inference-service.ts';
import type { Journey } from '../inference/journey.ts';
import type { Reading } from '../intake/reading.ts';
import type { BodyForm } from '../intake/reading-cost.ts';
import type { ModelSignature } from '../tensor/datatype.ts';
import { parseInferRequest } from '../tensor/infer-request.ts';
import { cacheStatus } from '../inference/cache-status.ts';
import { serverTiming } from '../inference/server-timing.ts';
import { encodeInferAnswer } from '../tensor/infer-response.ts';
import {
  binaryOutputs,
  checkOutputForms,
  HEADER_LENGTH,
  rawRequest,
  readHeaderLength,
} from './binary-data.ts';
import { readBody } from './body.ts';
import type { Exchange } from './exchange.ts';

const JSON_CONTENT = /^application\/(?:[a-z0-9.+-]+\+)?json\s*(?:;|$)/iu;
const BINARY_CONTENT = /^application\/octet-stream\s*(?:;|$)/iu;
const NOTHING = Buffer.alloc(0);

/** Clients of the protocol often name no type at all; whoever names another one means something else. */
function checkContent(exchange: Exchange): void {
  const contentType = exchange.header('content-type');
  if (contentType === undefined || JSON_CONTENT.test(contentType)) return;
  if (BINARY_CONTENT.test(contentType) && exchange.header(HEADER_LENGTH) !== undefined) return;
  throw new RequestError(
    'UnsupportedContent',
    `expected content-type application/json, or application/octet-stream with the header ${HEADER_LENGTH}, got '${contentType}'`,
  );
}

export interface InferRouteOptions {
  readonly service: InferenceService;
  readonly budget: BodyBudget;
  /** Throws RequestError while no model is loaded. */
  readonly readSignature: () => ModelSignature;
}

/** One infer request over HTTP. Its body counts against the budget until the call is over. */
class RestCall implements InferenceCall {
  readonly protocol = 'rest';
  readonly turnsToLeave = 1;
  readonly isLaterInStream = false;
  /** HTTP has none; the request's parameter `timeout` can say one. */
  readonly deadlineAtMs = undefined;
  readonly requestId: string;
  readonly form: BodyForm;
  readonly #exchange: Exchange;
  readonly #budget: BodyBudget;
  readonly #readSignature: () => ModelSignature;
  #body: Body | undefined;
  /** The run of a request that has its answer is over, and with it the last use of the tensors in its body. */
  #isAnswered = false;

  constructor(exchange: Exchange, { budget, readSignature }: InferRouteOptions) {
    this.#exchange = exchange;
    this.#budget = budget;
    this.#readSignature = readSignature;
    this.requestId = exchange.requestId;
    this.form = exchange.header(HEADER_LENGTH) === undefined ? 'Json' : 'Binary';
  }

  get isClientGone(): boolean {
    return this.#exchange.isClientGone;
  }

  readonly header = (name: string): string | undefined => this.#exchange.header(name);

  receive(reading: Reading): Promise<number> {
    checkContent(this.#exchange);
    const { bodyBytes, request } = this.#exchange;
    if (bodyBytes !== undefined) {
      // What is never taken is not to be tried again later.
      this.#budget.checkSize(bodyBytes);
      reading.announce(bodyBytes, performance.now());
    }
    this.#exchange.acceptBody();
    return readBody(request, this.#budget).then((body) => {
      this.#body = body;
      return body.bytes.length;
    });
  }

  parse(): InferRequest {
    const request = this.#toRequest(this.#body?.bytes ?? NOTHING);
    checkOutputForms(request, this.#readSignature());
    return request;
  }

  onHangUp(listener: () => void): void {
    // Node says so once.
    this.#exchange.response.on('close', listener);
  }

  deliver(answer: InferAnswer, journey: Journey, request: InferRequest): Promise<void> | undefined {
    const startedAtMs = performance.now();
    const { json, binary } = encodeInferAnswer(answer, binaryOutputs(request));
    const isBinary = binary.length > 0;
    const body = [...json, ...binary];
    const headers = isBinary ? [HEADER_LENGTH, String(countBytes(json))] : [];
    journey.serialiseMs = performance.now() - startedAtMs;
    headers.push('server-timing', serverTiming(journey, performance.now()));
    const cached = cacheStatus(journey);
    if (cached !== undefined) headers.push('cache-status', cached);
    this.#isAnswered = true;
    const contentType = isBinary ? 'application/octet-stream' : 'application/json';
    const coding = chooseCoding(this.#exchange.header('accept-encoding'), countBytes(body));
    if (coding === undefined) {
      this.#exchange.answer(200, body, { headers, contentType });
      return undefined;
    }
    headers.push('content-encoding', coding, 'vary', 'accept-encoding');
    return encodeBody(coding, joinPieces(body)).then((encoded) =>
      this.#exchange.answer(200, encoded, { headers, contentType }),
    );
  }

  refuse(error: RequestError, journey: Journey): void {
    this.#exchange.answerError(error, ['server-timing', serverTiming(journey, performance.now())]);
  }

  close(): void {
    this.#body?.release(this.#isAnswered);
  }

  #toRequest(bytes: Buffer): InferRequest {
    const headerLength = readHeaderLength(this.#exchange.header(HEADER_LENGTH), bytes.length);
    if (headerLength === undefined) return parseInferRequest(bytes);
    if (headerLength === 0) return rawRequest(bytes, this.#readSignature());
    return parseInferRequest(bytes.subarray(0, headerLength), bytes.subarray(headerLength));
  }
}

/** POST …/infer. */
export class InferRoute {
  readonly #options: InferRouteOptions;

  constructor(options: InferRouteOptions) {
    this.#options = options;
  }

  handle(exchange: Exchange): Promise<void> {
    return this.#options.service.handle(new RestCall(exchange, this.#options));
  }
}
