import { Deferred } from '../deferred.ts';
import { RequestError } from '../errors.ts';
import { ExecutorLostError, type Executor, type ExecutorState } from '../executor/executor.ts';
import type { Journey } from '../inference/journey.ts';
import type { Tensor } from '../tensor/datatype.ts';
import type { InferWork } from '../tensor/validate.ts';
import { DispatchWindow } from './dispatch-window.ts';

export type JourneyTimes = Pick<Journey, 'queueMs' | 'computeMs' | 'batchRows'>;

/** A request between its admission and its answer. */
export interface Job {
  readonly work: InferWork;
  readonly answer: Deferred<Tensor[]>;
  /** Told what this stage took. */
  readonly journey: JourneyTimes;
  readonly admittedAtMs: number;
  attempts: number;
  dispatchedAtMs: number;
  isWithdrawn: boolean;
}

const MOST_ATTEMPTS = 2;
const RETRY_AFTER_DOWN_SECONDS = 5;

/**
 * The bounded queue in front of the executor. Beyond its depth requests are shed at once: a late answer costs as much
 * as a good one and helps nobody. A request whose executor was lost is tried once more, alone, so that one poisonous
 * request takes no other down with it twice.
 */
export class InferQueue {
  readonly #executor: Executor;
  readonly #maxDepth: number;
  readonly #window = new DispatchWindow();
  /** Insertion order is the order of service. */
  readonly #waiting = new Set<Job>();
  readonly #retries: Job[] = [];
  #inFlight = 0;
  #isRetrying = false;

  constructor(executor: Executor, maxDepth: number) {
    this.#executor = executor;
    this.#maxDepth = maxDepth;
    executor.onStateChange((state) => this.#followExecutor(state));
  }

  /** Requests admitted and not yet with the executor. */
  get depth(): number {
    return this.#waiting.size + this.#retries.length;
  }

  get isIdle(): boolean {
    return this.depth === 0 && this.#inFlight === 0;
  }

  submit(work: InferWork, journey: JourneyTimes): Job {
    this.#refuseWhenDown();
    if (this.#waiting.size >= this.#maxDepth) {
      throw new RequestError(
        'Overloaded',
        `the queue is full: ${this.#maxDepth} requests are waiting`,
        Math.max(1, Math.ceil((this.depth * this.#window.serviceMs) / 1000)),
      );
    }
    const job: Job = {
      work,
      answer: new Deferred<Tensor[]>(),
      journey,
      admittedAtMs: performance.now(),
      attempts: 0,
      dispatchedAtMs: 0,
      isWithdrawn: false,
    };
    this.#waiting.add(job);
    this.#pump();
    return job;
  }

  /** The client hung up: forget the request if it still waits, and never try it again. */
  withdraw(job: Job): void {
    job.isWithdrawn = true;
    this.#waiting.delete(job);
    const retry = this.#retries.indexOf(job);
    if (retry >= 0) this.#retries.splice(retry, 1);
  }

  #refuseWhenDown(): void {
    const { state } = this.#executor;
    if (state === 'ready' || state === 'restarting') return;
    throw new RequestError('ModelNotReady', 'the model is not ready', RETRY_AFTER_DOWN_SECONDS);
  }

  #followExecutor(state: ExecutorState): void {
    if (state === 'ready') this.#pump();
    if (state === 'down' || state === 'closed') this.#refuseAll();
  }

  #refuseAll(): void {
    const jobs = [...this.#retries.splice(0), ...this.#waiting];
    this.#waiting.clear();
    for (const job of jobs) {
      job.answer.reject(
        new RequestError('ModelNotReady', 'the model is not ready', RETRY_AFTER_DOWN_SECONDS),
      );
    }
  }

  #pump(): void {
    for (let job = this.#next(); job !== undefined; job = this.#next()) void this.#dispatch(job);
  }

  #next(): Job | undefined {
    if (this.#executor.state !== 'ready' || this.#isRetrying) return undefined;
    if (this.#retries.length > 0) return this.#inFlight === 0 ? this.#retries.shift() : undefined;
    if (this.#inFlight >= this.#window.size) return undefined;
    const [job] = this.#waiting;
    if (job !== undefined) this.#waiting.delete(job);
    return job;
  }

  async #dispatch(job: Job): Promise<void> {
    this.#inFlight++;
    job.attempts++;
    this.#isRetrying = job.attempts > 1;
    job.dispatchedAtMs = performance.now();
    job.journey.queueMs = job.dispatchedAtMs - job.admittedAtMs;
    try {
      const outputs = await this.#executor.run(job.work);
      const answeredAtMs = performance.now();
      this.#window.recordAnswer(job.dispatchedAtMs, answeredAtMs);
      job.journey.computeMs = answeredAtMs - job.dispatchedAtMs;
      job.answer.resolve(outputs);
    } catch (error) {
      this.#settleFailure(job, error as Error);
    } finally {
      this.#inFlight--;
      if (job.attempts > 1) this.#isRetrying = false;
      this.#pump();
    }
  }

  #settleFailure(job: Job, error: Error): void {
    if (!(error instanceof ExecutorLostError)) {
      job.answer.reject(error);
      return;
    }
    if (this.#isWorthRetrying(job)) {
      this.#retries.push(job);
      return;
    }
    job.answer.reject(
      new RequestError('ExecutorLost', 'the process that runs the model ended under this request', 1),
    );
  }

  #isWorthRetrying(job: Job): boolean {
    const { state } = this.#executor;
    return job.attempts < MOST_ATTEMPTS && !job.isWithdrawn && state !== 'down' && state !== 'closed';
  }
}
