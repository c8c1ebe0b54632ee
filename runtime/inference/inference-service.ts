import type { Logger } from 'winston';
import { Deferred } from '../deferred.ts';
import { RequestError } from '../errors.ts';
import { ModelRunError } from '../executor/executor.ts';
import type { Intake } from '../intake/intake.ts';
import { Reading } from '../intake/reading.ts';
import type { BodyForm } from '../intake/reading-cost.ts';
import { LogThrottle } from '../log.ts';
import type { DataPlane, PendingAnswer } from './data-plane.ts';
import type { InferAnswer, InferRequest } from './inference.ts';
import type { Journey, JourneyObserver, Outcome, Protocol } from './journey.ts';
import { originOf } from './origin.ts';
import { readPrediction } from './prediction.ts';

/** The client ended the connection before its request was complete. */
export class HangUpError extends Error {}

/** One infer request as a protocol brings it in, and how its answer goes out again. */
export interface InferenceCall {
  readonly requestId: string;
  readonly protocol: Protocol;
  readonly isLaterInStream: boolean;
  readonly isClientGone: boolean;
  /** What the protocol itself says of how long the client waits, as a time of performance.now(). */
  readonly deadlineAtMs: number | undefined;
  /** By lower-case name. */
  readonly header: (name: string) => string | undefined;
  readonly form: BodyForm;
  /**
   * Takes all of the body in and tells its bytes; `announce` is asked as soon as somebody says how many come, and throws
   * RequestError. Rejects with RequestError or HangUpError.
   */
  readonly receive: (announce: (bytes: number) => void) => Promise<number>;
  /** Makes a request of what was received. Throws RequestError. */
  readonly parse: () => InferRequest;
  readonly onHangUp: (listener: () => void) => void;
  /** Throws RequestError for an answer that has no form in this protocol. */
  readonly deliver: (answer: InferAnswer, journey: Journey, request: InferRequest) => void | Promise<void>;
  readonly refuse: (error: RequestError, journey: Journey) => void;
}

export interface InferenceServiceOptions {
  readonly dataPlane: DataPlane;
  readonly intake: Intake;
  /** From the arrival of a request to its answer, where it says nothing shorter; undefined: for ever. */
  readonly timeoutMs: number | undefined;
  readonly revision: string;
  readonly observers: readonly JourneyObserver[];
  readonly log: Logger;
}

/** The way of every infer request, REST or gRPC: receive → parse → run → deliver, then whoever watches is told how it ended. */
export class InferenceService {
  readonly #options: InferenceServiceOptions;
  readonly #throttle = new LogThrottle();

  constructor(options: InferenceServiceOptions) {
    this.#options = options;
  }

  async handle(call: InferenceCall): Promise<void> {
    const journey = this.#begin(call);
    for (const observer of this.#options.observers) observer.onArrival?.(journey);
    const reading = this.#beginReading(call, journey);
    const outcome = await this.#answer(call, journey, reading);
    const endedAtMs = performance.now();
    // Who hung up tells nothing of how long it would have taken.
    if (outcome.kind !== 'HungUp') {
      reading.end(outcome.kind === 'Refused' ? outcome.reason : undefined, journey.deadlineAtMs, endedAtMs);
    }
    for (const observer of this.#options.observers) observer.onEnd(journey, outcome, endedAtMs);
  }

  #begin({ requestId, protocol, isLaterInStream, header, deadlineAtMs }: InferenceCall): Journey {
    return {
      requestId,
      protocol,
      isLaterInStream,
      origin: originOf(header('x-headgate-destination'), this.#options.revision),
      arrivedAtMs: performance.now(),
      deadlineAtMs,
      header,
      parseMs: undefined,
      queueMs: undefined,
      batchMs: undefined,
      computeMs: undefined,
      serialiseMs: undefined,
      batchRows: undefined,
      cache: undefined,
    };
  }

  #beginReading(call: InferenceCall, { arrivedAtMs, deadlineAtMs = Infinity }: Journey): Reading {
    const { intake, timeoutMs = Infinity } = this.#options;
    return new Reading(intake, {
      form: call.form,
      arrivedAtMs,
      deadlineAtMs: Math.min(deadlineAtMs, arrivedAtMs + timeoutMs),
      isClientGone: () => call.isClientGone,
    });
  }

  async #answer(call: InferenceCall, journey: Journey, reading: Reading): Promise<Outcome> {
    let request: InferRequest | undefined;
    try {
      request = await readRequest(call, reading);
      journey.parseMs = performance.now() - journey.arrivedAtMs;
      const answer = await this.#run(call, request, journey);
      if (answer === undefined || call.isClientGone) return { kind: 'HungUp' };
      const startedAtMs = performance.now();
      await call.deliver(answer, journey, request);
      journey.serialiseMs = performance.now() - startedAtMs;
      return { kind: 'Answered', request, answer, prediction: readPrediction(answer.outputs) };
    } catch (error) {
      if (error instanceof HangUpError || call.isClientGone) return { kind: 'HungUp' };
      const refusal = this.#toRequestError(error, call.requestId);
      call.refuse(refusal, journey);
      const { reason, httpStatus, message } = refusal;
      return { kind: 'Refused', reason, httpStatus, message, request };
    }
  }

  #run(call: InferenceCall, request: InferRequest, journey: Journey): Promise<InferAnswer | undefined> {
    const { deadlineAtMs } = call;
    const pending = this.#options.dataPlane.infer(request, journey);
    const answer = Promise.race([pending.answer, hangUp(call, pending)]);
    return deadlineAtMs === undefined ? answer : within(deadlineAtMs, answer, pending);
  }

  /** Whatever is not the client's fault is logged in full and answered without internals. */
  #toRequestError(error: unknown, requestId: string): RequestError {
    if (error instanceof RequestError) return error;
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

async function readRequest(call: InferenceCall, reading: Reading): Promise<InferRequest> {
  const bytes = await call.receive((announced) => reading.announce(announced, performance.now()));
  const turn = reading.untilTurn(bytes, performance.now());
  // Most bodies are small, and a promise of nothing costs them all.
  if (turn !== undefined && !(await turn)) throw new HangUpError();
  return reading.read(() => call.parse());
}

/** Timers count in 32 bits, and end at once beyond. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

async function within<T>(deadlineAtMs: number, answer: Promise<T>, pending: PendingAnswer): Promise<T> {
  const late = new Deferred<never>();
  const giveUp = (): void => {
    pending.withdraw();
    late.reject(
      new RequestError('DeadlineExceeded', 'the answer was not ready within the time that the client gave'),
    );
  };
  // Node warns of times that are over.
  const leftMs = Math.max(0, deadlineAtMs - performance.now());
  const timer = setTimeout(giveUp, Math.min(leftMs, LONGEST_TIMER_MS));
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function hangUp(call: InferenceCall, pending: PendingAnswer): Promise<undefined> {
  return new Promise((resolve) => {
    call.onHangUp(() => {
      pending.withdraw();
      resolve(undefined);
    });
  });
}
