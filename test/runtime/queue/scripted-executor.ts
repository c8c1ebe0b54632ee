import { Deferred } from '../../../runtime/deferred.ts';
import type { Executor, ExecutorState } from '../../../runtime/executor/executor.ts';
import { ExecutorLostError } from '../../../runtime/executor/executor.ts';
import type { JourneyTimes } from '../../../runtime/queue/queue.ts';
import type { Tensor } from '../../../runtime/tensor/datatype.ts';
import type { InferWork } from '../../../runtime/tensor/validate.ts';

/** An executor whose every answer and every loss comes when the test says so, in an order that no real one promises. */
export class ScriptedExecutor implements Executor {
  state: ExecutorState = 'ready';
  readonly signature = undefined;
  /** In flight, by the name of the work, oldest first. */
  readonly running = new Map<string, Deferred<Tensor[]>>();
  readonly #listeners: ((state: ExecutorState) => void)[] = [];

  run(work: InferWork): Promise<Tensor[]> {
    const answer = new Deferred<Tensor[]>();
    this.running.set(nameOf(work), answer);
    return answer.promise;
  }

  onStateChange(listener: (state: ExecutorState) => void): void {
    this.#listeners.push(listener);
  }

  change(state: ExecutorState): void {
    this.state = state;
    for (const listener of this.#listeners) listener(state);
  }

  /** Answers the oldest request in flight. */
  answerOldest(): void {
    const [name] = this.running.keys();
    if (name === undefined) throw new Error('nothing is in flight');
    this.running.get(name)?.resolve([]);
    this.running.delete(name);
  }

  /** As the supervisor does it: first the state, then the requests. */
  lose(state: ExecutorState = 'restarting'): void {
    this.change(state);
    const lost = [...this.running.values()];
    this.running.clear();
    for (const { reject } of lost) reject(new ExecutorLostError('crashed'));
  }
}

export function noTimes(): JourneyTimes {
  return { queueMs: undefined, computeMs: undefined, batchRows: undefined };
}

export function work(name: string): InferWork {
  return { inputs: [], outputNames: [name] };
}

function nameOf({ outputNames: [name = ''] }: InferWork): string {
  return name;
}
