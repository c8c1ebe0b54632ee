import type { Batcher } from '../batching/batcher.ts';
import type { BatchObserver, ReleaseReason } from '../batching/release.ts';
import { Deferred } from '../deferred.ts';
import { ExecutorLostError, type Executor } from '../executor/executor.ts';
import type { Tensor } from '../tensor/datatype.ts';
import type { InferWork } from '../tensor/validate.ts';
import { canMeet, hasRoom, retryAfterSeconds, runMs, type Load } from './admission.ts';
import { Dispatcher } from './dispatcher.ts';
import type { Job, JourneyTimes } from './job.ts';
import { Lane } from './lane.ts';
import { Pace } from './pace.ts';
import { Quarantine } from './quarantine.ts';
import { executorLost, expired, inputQuarantined, modelNotReady, overloaded } from './refusals.ts';
import { SecondTries } from './second-tries.ts';
import { WaitingLine } from './waiting-line.ts';

export interface QueueOptions {
  readonly executors: readonly Executor[];
  readonly batcher: Batcher;
  /** Beyond so many waiting requests more are shed. */
  readonly maxDepth: number;
  readonly observers: readonly BatchObserver[];
}

const MOST_LOSSES = 2;
/** Requests without a deadline are served as if they had this one, so that those with one never starve them. */
const USUAL_PATIENCE_MS = 1000;

/**
 * The bounded queue in front of the executors. Beyond its depth, and where a deadline cannot be met, requests are shed
 * at once: a late answer costs as much as a good one and helps nobody. A request whose executor was lost is tried once
 * more, alone, so that one poisonous request takes no other down with it twice.
 */
export class InferQueue {
  readonly #options: QueueOptions;
  readonly #load: Load;
  readonly #dispatcher: Dispatcher;
  readonly #line = new WaitingLine();
  readonly #secondTries = new SecondTries();
  readonly #quarantine = new Quarantine();
  /** By bucket, waiting and running. */
  readonly #unanswered = new Map<string, number>();
  #latestKey = '';
  #onRoom: () => void = () => undefined;
  #sequence = 0;
  #running = 0;
  #isPumpDue = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: QueueOptions) {
    this.#options = options;
    const lanes = options.executors.map((executor) => new Lane(executor));
    this.#load = { lanes, line: this.#line, batcher: options.batcher, pace: new Pace() };
    this.#dispatcher = new Dispatcher(this.#load, options.observers);
    for (const { executor } of lanes) executor.onStateChange(() => this.#followExecutor(executor));
  }

  /** Requests admitted and not yet with an executor. */
  get depth(): number {
    return this.#line.length + this.#secondTries.length;
  }

  get isIdle(): boolean {
    return this.depth === 0 && this.#running === 0;
  }

  /** Whether to submit another request like the latest would do any good now. */
  hasRoom(deadlineAtMs: number, nowMs: number): boolean {
    return !this.#isServing || hasRoom(this.#load, this.#latestKey, deadlineAtMs, nowMs);
  }

  /** What one more request like the latest adds to the work of the executors. */
  get runMs(): number {
    return runMs(this.#load, this.#latestKey);
  }

  /** Called when there may be room again. */
  onRoom(listener: () => void): void {
    this.#onRoom = listener;
  }

  submit(work: InferWork, journey: JourneyTimes): Job {
    const { batcher } = this.#options;
    const nowMs = performance.now();
    const { deadlineAtMs } = journey;
    const place = batcher.placeOf(work);
    if (this.#quarantine.holds(work, nowMs)) throw inputQuarantined();
    this.#latestKey = place.key;
    this.#admit(place.key, deadlineAtMs, nowMs);
    const job: Job = {
      ...{ work, journey, place, deadlineAtMs, rows: place.rows },
      answer: new Deferred<Tensor[]>(),
      admittedAtMs: nowMs,
      dueAtMs: deadlineAtMs ?? nowMs + USUAL_PATIENCE_MS,
      sequence: this.#sequence++,
      losses: 0,
      heldAtMs: undefined,
      isWithdrawn: false,
    };
    const unanswered = this.#unanswered.get(place.key) ?? 0;
    batcher.recordArrival(place.key, unanswered, nowMs);
    this.#unanswered.set(place.key, unanswered + 1);
    this.#line.add(job);
    this.#pumpSoon();
    return job;
  }

  /** The client hung up: forget the request if it still waits, and never try it again. */
  withdraw(job: Job): void {
    if (job.isWithdrawn) return;
    job.isWithdrawn = true;
    if (this.#line.remove(job) || this.#secondTries.remove(job)) this.#forget(job);
  }

  #admit(key: string, deadlineAtMs: number | undefined, nowMs: number): void {
    const { maxDepth } = this.#options;
    if (!this.#isServing) throw modelNotReady();
    // Those of this turn may already have a place with an executor.
    if (this.#line.length >= maxDepth && this.#isPumpDue) this.#pump();
    if (this.#line.length >= maxDepth) {
      const message = `the queue is full: ${maxDepth} requests are waiting`;
      throw overloaded(message, retryAfterSeconds(this.#load, key));
    }
    if (deadlineAtMs === undefined) return;
    if (deadlineAtMs <= nowMs) throw expired();
    if (canMeet(this.#load, key, deadlineAtMs, nowMs)) return;
    const message = `the answer would come after the request's deadline: ${this.depth} requests are waiting`;
    throw overloaded(message, retryAfterSeconds(this.#load, key));
  }

  get #isServing(): boolean {
    return this.#options.executors.some(({ state }) => state === 'ready' || state === 'restarting');
  }

  #followExecutor({ state, batchProfile }: Executor): void {
    if (state === 'ready' && batchProfile !== undefined) this.#options.batcher.learn(batchProfile);
    if (state === 'ready') this.#pumpSoon();
    else if (!this.#isServing) this.#refuseAll();
  }

  #refuseAll(): void {
    const jobs = [...this.#secondTries.removeAll(), ...this.#line.removeAll()];
    for (const job of jobs) {
      this.#reject(job, modelNotReady());
    }
  }

  /** What arrives in one turn of the event loop is seen together. */
  #pumpSoon(): void {
    if (this.#isPumpDue) return;
    this.#isPumpDue = true;
    setImmediate(() => {
      this.#isPumpDue = false;
      this.#pump();
    });
  }

  #pump(): void {
    const nowMs = performance.now();
    const costMs = ({ place }: Job): number => this.#options.batcher.costMs(place);
    for (const job of this.#line.takeExpired(nowMs, costMs)) {
      this.#load.pace.recordOutcome(false);
      this.#reject(job, expired());
    }
    this.#secondTries.release(this.#load.lanes, (lane, jobs) => void this.#dispatch(lane, jobs, 'Alone'));
    const heldUntilMs = this.#release(nowMs);
    this.#onRoom();
    clearTimeout(this.#timer);
    const wakeAtMs = Math.min(heldUntilMs, this.#line.nextExpiryAtMs ?? Infinity);
    if (wakeAtMs === Infinity) return;
    this.#timer = setTimeout(() => this.#pump(), Math.max(1, wakeAtMs - nowMs));
  }

  /** Hands over what the executors have room for; tells when a batch that waits for others is due. */
  #release(nowMs: number): number {
    const { batcher } = this.#options;
    const held = new Set<string>();
    let heldUntilMs = Infinity;
    for (let job = this.#line.firstOutside(held); job !== undefined; job = this.#line.firstOutside(held)) {
      const { key } = job.place;
      const lane = this.#freestLane(batcher.prefersToGather(key));
      if (lane === undefined) break;
      const waiting = this.#line.ofBucket(key);
      const plan = batcher.plan(key, waiting, nowMs);
      if (plan.kind === 'Wait') {
        held.add(key);
        heldUntilMs = Math.min(heldUntilMs, plan.untilMs);
        for (const waitingJob of waiting) waitingJob.heldAtMs ??= nowMs;
        continue;
      }
      const jobs = waiting.slice(0, plan.requests);
      for (const taken of jobs) this.#line.remove(taken);
      void this.#dispatch(lane, jobs, plan.reason);
    }
    return heldUntilMs;
  }

  #freestLane(gathers: boolean): Lane | undefined {
    let freest: Lane | undefined;
    for (const lane of this.#load.lanes) {
      if (!lane.hasRoom(gathers)) continue;
      if (freest === undefined || lane.expectedMs < freest.expectedMs) freest = lane;
    }
    return freest;
  }

  async #dispatch(lane: Lane, jobs: readonly Job[], reason: ReleaseReason): Promise<void> {
    this.#running += jobs.length;
    try {
      const outputs = await this.#dispatcher.run(lane, jobs, reason);
      for (const [index, job] of jobs.entries()) this.#resolve(job, outputs[index] ?? []);
    } catch (error) {
      for (const job of jobs) this.#settleFailure(job, error as Error, jobs.length);
    }
    this.#running -= jobs.length;
    this.#pumpSoon();
  }

  #settleFailure(job: Job, error: Error, batchSize: number): void {
    const isLoss = error instanceof ExecutorLostError;
    if (isLoss) job.losses++;
    if (isLoss && job.losses >= MOST_LOSSES) {
      this.#quarantine.hold(job.work, performance.now());
      this.#reject(job, inputQuarantined());
    } else if ((isLoss || batchSize > 1) && !job.isWithdrawn && this.#isServing) {
      job.heldAtMs = undefined;
      this.#secondTries.add(job);
    } else {
      this.#reject(job, isLoss ? executorLost() : error);
    }
  }

  #resolve(job: Job, outputs: Tensor[]): void {
    this.#forget(job);
    const { deadlineAtMs } = job;
    if (deadlineAtMs !== undefined) this.#load.pace.recordOutcome(performance.now() <= deadlineAtMs);
    job.answer.resolve(outputs);
  }

  #reject(job: Job, error: Error): void {
    this.#forget(job);
    job.answer.reject(error);
  }

  #forget({ place }: Job): void {
    const unanswered = (this.#unanswered.get(place.key) ?? 1) - 1;
    if (unanswered > 0) this.#unanswered.set(place.key, unanswered);
    else this.#unanswered.delete(place.key);
  }
}
