import type { Logger } from 'winston';
import type { DataPlane, PendingAnswer } from '../data-plane.ts';
import { RequestError } from '../errors.ts';
import { ModelRunError } from '../executor/executor.ts';
import { LogThrottle } from '../log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Traffic } from '../metrics/traffic.ts';
import { parseInferRequest } from '../tensor/infer-request.ts';
import { writeInferAnswer } from '../tensor/infer-response.ts';
import { HangUpError, readBody, type BodyBudget } from './body.ts';
import type { Exchange } from './exchange.ts';
import { originOf } from './origin.ts';

export interface InferRouteOptions {
  readonly dataPlane: DataPlane;
  readonly revision: string;
  readonly budget: BodyBudget;
  readonly traffic: Traffic;
  readonly metrics: Metrics;
  readonly log: Logger;
}

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

/** POST …/infer: reads, runs and answers one request, and counts it by whose it is. */
export class InferRoute {
  readonly #options: InferRouteOptions;
  readonly #throttle = new LogThrottle();

  constructor(options: InferRouteOptions) {
    this.#options = options;
  }

  async handle(exchange: Exchange): Promise<void> {
    const { traffic, metrics } = this.#options;
    const arrivedAtMs = performance.now();
    this.#recordRouting(exchange, arrivedAtMs);
    const origin = originOf(exchange.header('x-headgate-destination'), this.#options.revision);
    traffic.recordArrival(arrivedAtMs);
    const status = await this.#answer(exchange);
    if (status === undefined) {
      traffic.recordHangUp();
      return;
    }
    const answeredAtMs = performance.now();
    const latencyMs = answeredAtMs - arrivedAtMs;
    traffic.recordAnswer({ origin, status, latencyMs }, answeredAtMs);
    metrics.recordAnswer({ origin, status, latencyMs });
  }

  #recordRouting(exchange: Exchange, nowMs: number): void {
    const hash = exchange.header('x-headgate-routing');
    if (hash !== undefined) this.#options.traffic.recordRouting(hash, nowMs);
  }

  /** The status of the answer, or undefined when the client was gone. */
  async #answer(exchange: Exchange): Promise<number | undefined> {
    try {
      const answer = await this.#infer(exchange);
      if (answer === undefined || exchange.isClientGone) return undefined;
      exchange.answer(200, answer);
      return 200;
    } catch (error) {
      if (error instanceof HangUpError || exchange.isClientGone) return undefined;
      return exchange.answerError(this.#toRequestError(error, exchange));
    }
  }

  async #infer(exchange: Exchange): Promise<string | undefined> {
    checkContent(exchange);
    const body = await readBody(exchange.request, this.#options.budget);
    try {
      const pending = this.#options.dataPlane.infer(parseInferRequest(body.bytes));
      const answer = await Promise.race([pending.answer, waitForHangUp(exchange, pending)]);
      return answer === undefined ? undefined : writeInferAnswer(answer);
    } finally {
      body.release();
    }
  }

  /** Whatever is not the client's fault is logged in full and answered without internals. */
  #toRequestError(error: unknown, exchange: Exchange): RequestError {
    if (error instanceof RequestError) return error;
    const { requestId } = exchange;
    const { message, stack } = error as Error;
    if (error instanceof ModelRunError) {
      const heldBack = this.#throttle.admit(performance.now());
      if (heldBack !== undefined) {
        this.#options.log.warn('the model failed on a request', { requestId, cause: message, heldBack });
      }
      return new RequestError(
        'ModelFailed',
        `the model failed on this request; the server's log has the cause under request id ${requestId}`,
      );
    }
    this.#options.log.error('a request failed inside the server', { requestId, cause: stack ?? message });
    return new RequestError(
      'InternalError',
      `the server failed; its log has the cause under request id ${requestId}`,
    );
  }
}

function waitForHangUp(exchange: Exchange, pending: PendingAnswer): Promise<undefined> {
  return new Promise((resolve) => {
    exchange.response.once('close', () => {
      pending.withdraw();
      resolve(undefined);
    });
  });
}
