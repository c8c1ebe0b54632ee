import { RequestError } from '../errors.ts';
import type { Journey } from '../inference/journey.ts';
import { expired } from '../queue/refusals.ts';
import type { Tensor } from '../tensor/datatype.ts';
import { digestTensors } from '../tensor/digest.ts';
import type { InferWork } from '../tensor/validate.ts';
import type { AnswerStore } from './answer-store.ts';

export type CacheJourney = Pick<Journey, 'cache' | 'deadlineAtMs'>;

export interface PendingOutputs {
  readonly outputs: Promise<readonly Tensor[]>;
  /** Nobody waits for them any more. */
  withdraw(): void;
}

/** Asks the model. May throw RequestError. */
export type Run = () => PendingOutputs;

/** One question that is under way, and how many wait for its answer. */
interface Flight {
  outputs: Promise<readonly Tensor[]>;
  waiting: number;
  isHit: boolean;
  cancel: () => void;
}

/** Changes when answers of an earlier version of this program are not to be used. */
const FORMAT = '1';

/** What befell the one that asked first need not befall the others. */
function isPersonal(error: unknown): boolean {
  return error instanceof RequestError && ['DeadlineExceeded', 'Overloaded'].includes(error.reason);
}

/** Rejects with `late` when the time is over first. */
function byDeadline<T>(promise: Promise<T>, deadlineAtMs: number | undefined, late: Error): Promise<T> {
  if (deadlineAtMs === undefined) return promise;
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late), Math.max(0, deadlineAtMs - performance.now()));
  });
  return Promise.race([promise, over]).finally(() => clearTimeout(timer));
}

/**
 * Answers what was asked before without the model, and asks the model once for all that ask the same at one time. What
 * counts as the same: model, inputs bit by bit, and requested outputs.
 */
export class AnswerCache {
  readonly #store: AnswerStore;
  readonly #readModelDigest: () => string;
  readonly #flights = new Map<string, Flight>();

  constructor(store: AnswerStore, readModelDigest: () => string) {
    this.#store = store;
    this.#readModelDigest = readModelDigest;
  }

  answer(work: InferWork, journey: CacheJourney, run: Run): PendingOutputs {
    const key = digestTensors(work.inputs, [FORMAT, this.#readModelDigest(), ...work.outputNames]);
    const known = this.#flights.get(key);
    if (known !== undefined) return this.#join(key, known, { journey, run });
    const flight = this.#takeOff(key, journey, run);
    return { outputs: flight.outputs, withdraw: () => this.#leave(key, flight) };
  }

  #takeOff(key: string, journey: CacheJourney, run: Run): Flight {
    const flight: Flight = {
      outputs: Promise.resolve([]),
      waiting: 1,
      isHit: false,
      cancel: () => undefined,
    };
    this.#flights.set(key, flight);
    flight.outputs = this.#fly(key, flight, { journey, run }).finally(() => this.#land(key, flight));
    return flight;
  }

  async #fly(
    key: string,
    flight: Flight,
    { journey, run }: { journey: CacheJourney; run: Run },
  ): Promise<readonly Tensor[]> {
    const stored = await this.#store.get(key);
    flight.isHit = stored !== undefined;
    journey.cache = flight.isHit ? 'Hit' : 'Miss';
    if (stored !== undefined) return stored;
    const pending = run();
    flight.cancel = () => pending.withdraw();
    // All may have left while the store was asked.
    if (flight.waiting === 0) pending.withdraw();
    const outputs = await pending.outputs;
    this.#store.set(key, outputs);
    return outputs;
  }

  #join(key: string, flight: Flight, { journey, run }: { journey: CacheJourney; run: Run }): PendingOutputs {
    flight.waiting++;
    let leave = (): void => this.#leave(key, flight);
    const late = expired();
    const follow = async (): Promise<readonly Tensor[]> => {
      try {
        const outputs = await byDeadline(flight.outputs, journey.deadlineAtMs, late);
        journey.cache = flight.isHit ? 'Hit' : 'Shared';
        return outputs;
      } catch (error) {
        if (error === late || !isPersonal(error)) throw error;
        journey.cache = 'Miss';
        const own = run();
        leave = () => own.withdraw();
        return await own.outputs;
      }
    };
    return { outputs: follow(), withdraw: () => leave() };
  }

  #leave(key: string, flight: Flight): void {
    flight.waiting--;
    if (flight.waiting > 0) return;
    flight.cancel();
    this.#land(key, flight);
  }

  #land(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
