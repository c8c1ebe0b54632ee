import { Pace } from '../queue/pace.ts';
import { Patience } from './patience.ts';
import { ReadingCost, type BodyForm } from './reading-cost.ts';

const SMOOTHING = 0.1;
/** One pause of the whole machine is not how fast it is. */
const SLOWEST = 50;

/** What is known of a body before it is read. */
export interface Arrival {
  readonly form: BodyForm;
  readonly bytes: number;
  readonly arrivedAtMs: number;
  /** Of the protocol or the configuration; Infinity where neither says one. */
  readonly deadlineAtMs: number;
}

/** The bodies that wait to be read. */
export interface Ahead {
  readonly bodies: number;
  /** To read and run all of them, by what is known of others like them. */
  readonly costMs: number;
}

/** When a body that comes now would be answered, as far as that can be told without reading it. Time is an argument. */
export class Forecast {
  readonly #cost = new ReadingCost();
  readonly #pace = new Pace();
  readonly #patience = new Patience();
  /** How many times as long as it should a turn takes, with all that is done beside it. */
  #stretch = 1;
  /** From the end of reading to the answer. */
  #afterMs = 0;

  /** What reading it costs; 0 for what is small or unknown. */
  readMs({ form, bytes }: Pick<Arrival, 'form' | 'bytes'>): number {
    return this.#cost.expectedMs(form, bytes);
  }

  /**
   * Whether a body of this cost can be answered behind these while that is of use. Where none waits whatever is not over
   * is taken: a server that believed itself slower than it is would never learn better.
   */
  canMeet(arrival: Arrival, costMs: number, ahead: Ahead, nowMs: number): boolean {
    if (ahead.bodies === 0) return nowMs < arrival.deadlineAtMs;
    const turnsMs = (ahead.costMs + costMs) * this.#stretch * (1 + this.#pace.margin);
    return nowMs + turnsMs + this.#afterMs <= this.usefulUntilMs(arrival);
  }

  /** When those that wait are read. */
  retryAfterSeconds({ costMs }: Ahead): number {
    return Math.max(1, Math.ceil((costMs * this.#stretch) / 1000));
  }

  /** What making a request of a body took. */
  recordReading({ form, bytes }: Arrival, ms: number): void {
    this.#cost.record(form, bytes, ms);
  }

  /** How long it took until the next body had its turn: with this one, and with all else that is done meanwhile. */
  recordTurn(expectedMs: number, busyMs: number): void {
    if (expectedMs <= 0) return;
    this.#stretch += SMOOTHING * (Math.min(SLOWEST, busyMs / expectedMs) - this.#stretch);
  }

  /** How long a request said that it is of use, or Infinity. */
  recordPatience(patienceMs: number): void {
    this.#patience.record(patienceMs);
  }

  /** What a request that was read had still to wait for its answer. */
  recordAnswer(afterMs: number): void {
    this.#afterMs += SMOOTHING * (afterMs - this.#afterMs);
  }

  /** Of a request with a deadline that waited to be read. */
  recordOutcome(isInTime: boolean): void {
    this.#pace.recordOutcome(isInTime);
  }

  /** Of what comes later nobody has any use, as far as is known before it is read. */
  usefulUntilMs({ arrivedAtMs, deadlineAtMs }: Arrival): number {
    return Math.min(deadlineAtMs, arrivedAtMs + this.#patience.longestMs);
  }
}
