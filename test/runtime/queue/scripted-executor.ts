import type { BatchProfile } from '../../../runtime/batching/batcher.ts';
import { mergeWorks } from '../../../runtime/batching/merge.ts';
import { Deferred } from '../../../runtime/deferred.ts';
import {
  ExecutorLostError,
  type Executor,
  type ExecutorState,
  type RunResult,
} from '../../../runtime/executor/executor.ts';
import type { JourneyTimes } from '../../../runtime/queue/job.ts';
import type { InferWork } from '../../../runtime/tensor/validate.ts';

interface Run {
  readonly work: InferWork;
  readonly answer: Deferred<RunResult>;
}

/** What a model that is not batched says of itself. */
export const unbatched: BatchProfile = { refusal: 'the test says so', costs: [{ rows: 1, ms: 10 }] };

/** A run costs the same however many rows it has. */
export const flat: BatchProfile = { refusal: undefined, costs: [1, 32].map((rows) => ({ rows, ms: 10 })) };

/** An executor whose every answer and every loss comes when the test says so, in an order that no real one promises. */
export class ScriptedExecutor implements Executor {
  state: ExecutorState = 'starting';
  readonly signature = undefined;
  readonly batchProfile: BatchProfile;
  readonly #running: Run[] = [];
  readonly #listeners: ((state: ExecutorState) => void)[] = [];

  constructor(batchProfile: BatchProfile = unbatched) {
    this.batchProfile = batchProfile;
  }

  /** In flight, oldest first: the names of their requests, joined by + in a batch. */
  get running(): string[] {
    return this.#running.map(({ work }) => nameOf(work));
  }

  run(works: readonly InferWork[]): Promise<RunResult> {
    const answer = new Deferred<RunResult>();
    this.#running.push({ work: mergeWorks(works), answer });
    return answer.promise;
  }

  onStateChange(listener: (state: ExecutorState) => void): void {
    this.#listeners.push(listener);
  }

  change(state: ExecutorState): void {
    this.state = state;
    for (const listener of this.#listeners) listener(state);
  }

  /** Answers the oldest run with its own inputs. */
  answerOldest(): void {
    const { work, answer } = this.#takeOldest();
    answer.resolve({ outputs: work.inputs, computeMs: 10 });
  }

  failOldest(error: Error): void {
    this.#takeOldest().answer.reject(error);
  }

  /** As the supervisor does it: first the state, then the requests. */
  lose(state: ExecutorState = 'restarting'): void {
    this.change(state);
    for (const { answer } of this.#running.splice(0)) answer.reject(new ExecutorLostError('crashed'));
  }

  #takeOldest(): Run {
    const oldest = this.#running.shift();
    if (oldest === undefined) throw new Error('nothing is in flight');
    return oldest;
  }
}

export function journeyOf(deadlineAtMs?: number): JourneyTimes {
  return { deadlineAtMs, queueMs: undefined, batchMs: undefined, computeMs: undefined, batchRows: undefined };
}

/** A request of one row, which bears the name. */
export function work(name: string): InferWork {
  return { inputs: [{ name: 'x', datatype: 'BYTES', shape: [1], data: [name] }], outputNames: ['x'] };
}

function nameOf({ inputs: [first] }: InferWork): string {
  return (first?.data as string[]).join('+');
}
