import type { Logger } from 'winston';
import { Deferred } from '../deferred.ts';
import { RequestError } from '../errors.ts';
import { InvalidInputError, ModelRunError } from '../executor/executor.ts';
import type { Intake } from '../intake/intake.ts';
import { Reading } from '../intake/reading.ts';
import type { BodyForm } from '../intake/reading-cost.ts';
import { LogThrottle } from '../log.ts';
import type { PendingOutputs } from '../cache/answer-cache.ts';
import type { Tensor } from '../tensor/datatype.ts';
import { Afterwards, type TurnsToLeave } from './afterwards.ts';
import type { DataPlane } from './data-plane.ts';
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
  readonly turnsToLeave: TurnsToLeave;
  readonly isLaterInStream: boolean;
  readonly isClientGone: boolean;
  /** What the protocol itself says of how long the client waits, as a time of performance.now(). */
  readonly deadlineAtMs: number | undefined;
  /** By lower-case name. */
  readonly header: (name: string) => string | undefined;
  readonly form: BodyForm;
  /**
   * Takes all of the body in and tells its bytes; `reading` is asked as soon as somebody says how many come, and throws
   * RequestError. Throws or rejects with RequestError or HangUpError.
   */
  receive(reading: Reading): Promise<number>;
  /** Makes a request of what was received. Throws RequestError. */
  parse(): InferRequest;
  onHangUp(listener: () => void): void;
  /** Throws RequestError for an answer that has no form in this protocol. Undefined: it is delivered. */
  deliver(answer: InferAnswer, journey: Journey, request: InferRequest): Promise<void> | undefined;
  refuse(error: RequestError, journey: Journey): void;
  /** Called once, when all is over: gives back what the request held. */
  close(): void;
}

export interface InferenceServiceOptions {
  readonly dataPlane: Pick<DataPlane, 'infer' | 'present'>;
  readonly intake: Intake;
  /** From the arrival of a request to its answer, where it says nothing shorter; undefined: for ever. */
  readonly timeoutMs: number | undefined;
  readonly revision: string;
  readonly observers: readonly JourneyObserver[];
  readonly log: Logger;
}

/** An outcome before anybody has asked what its answer says. */
type End =
  Exclude<Outcome, { kind: 'Answered' }> | Omit<Extract<Outcome, { kind: 'Answered' }>, 'prediction'>;

/** The way of every infer request, REST or gRPC: receive → parse → run → deliver, then whoever watches is told how it ended. */
export class InferenceService {
  readonly #options: InferenceServiceOptions;
  readonly #throttle = new LogThrottle();
  readonly #afterwards = new Afterwards();

  constructor(options: InferenceServiceOptions) {
    this.#options = options;
  }

  async handle(call: InferenceCall): Promise<void> {
    const journey = this.#begin(call);
    for (const observer of this.#options.observers) observer.onArrival?.(journey);
    const reading = this.#beginReading(call, journey);
    try {
      const end = await this.#answer(call, journey, reading);
      const endedAtMs = performance.now();
      // Who hung up tells nothing of how long it would have taken.
      if (end.kind !== 'HungUp') {
        reading.end(end.kind === 'Refused' ? end.reason : undefined, journey.deadlineAtMs, endedAtMs);
      }
      this.#afterwards.add(call.turnsToLeave, () => this.#tell(call, journey, end, endedAtMs));
    } catch (error) {
      call.close();
      throw error;
    }
  }

  /** Call when no request is under way any more. */
  close(): void {
    this.#afterwards.finish();
  }

  #tell(call: InferenceCall, journey: Journey, end: End, endedAtMs: number): void {
    try {
      const outcome: Outcome =
        end.kind === 'Answered' ? { ...end, prediction: readPrediction(end.answer.outputs) } : end;
      for (const observer of this.#options.observers) observer.onEnd(journey, outcome, endedAtMs);
    } catch (error) {
      const { requestId } = call;
      this.#options.log.error('an answer was not watched', { requestId, cause: (error as Error).stack });
    } finally {
      call.close();
    }
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
    return new Reading(intake, call, {
      arrivedAtMs,
      deadlineAtMs: Math.min(deadlineAtMs, arrivedAtMs + timeoutMs),
    });
  }

  async #answer(call: InferenceCall, journey: Journey, reading: Reading): Promise<End> {
    let request: InferRequest | undefined;
    try {
      const bytes = await call.receive(reading);
      const turn = reading.untilTurn(bytes, performance.now());
      // Most bodies are small, and a promise of nothing costs them all.
      if (turn !== undefined && !(await turn)) return { kind: 'HungUp' };
      request = reading.read(call);
      journey.parseMs = performance.now() - journey.arrivedAtMs;
      const outputs = await this.#run(call, request, journey);
      if (outputs === undefined || call.isClientGone) return { kind: 'HungUp' };
      const answer = this.#options.dataPlane.present(request, outputs);
      const startedAtMs = performance.now();
      const delivery = call.deliver(answer, journey, request);
      if (delivery !== undefined) await delivery;
      journey.serialiseMs = performance.now() - startedAtMs;
      return { kind: 'Answered', request, answer };
    } catch (error) {
      if (error instanceof HangUpError || call.isClientGone) return { kind: 'HungUp' };
      const refusal = this.#toRequestError(error, call.requestId);
      call.refuse(refusal, journey);
      const { reason, httpStatus, message } = refusal;
      return { kind: 'Refused', reason, httpStatus, message, request };
    }
  }

  /** Undefined: the client hung up first. */
  #run(call: InferenceCall, request: InferRequest, journey: Journey): Promise<readonly Tensor[] | undefined> {
    const { deadlineAtMs } = call;
    const pending = this.#options.dataPlane.infer(request, journey);
    const outputs = unlessHungUp(call, pending);
    return deadlineAtMs === undefined ? outputs : within(deadlineAtMs, outputs, pending);
  }

  /** Whatever is not the client's fault is logged in full and answered without internals. */
  #toRequestError(error: unknown, requestId: string): RequestError {
    if (error instanceof RequestError) return error;
    const { message, stack } = error as Error;
    if (error instanceof InvalidInputError)
      return new RequestError('InvalidTensor', `the model does not take these shapes: ${message}`);
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

/** Timers count in 32 bits, and end at once beyond. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

async function within<T>(deadlineAtMs: number, outputs: Promise<T>, pending: PendingOutputs): Promise<T> {
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
    return await Promise.race([outputs, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** One promise instead of a race of two: every request pays for this. */
function unlessHungUp(call: InferenceCall, pending: PendingOutputs): Promise<readonly Tensor[] | undefined> {
  return new Promise((resolve, reject) => {
    pending.outputs.then(resolve, reject);
    call.onHangUp(() => {
      pending.withdraw();
      resolve(undefined);
    });
  });
}
