import { Deferred } from '../deferred.ts';
import { expired, overloaded } from '../queue/refusals.ts';
import { Forecast, type Ahead, type Arrival } from './forecast.ts';
import { LARGE_BYTES } from './reading-cost.ts';

/** Small requests go by: this often the first in line is looked at all the same, and read. */
const LONGEST_PAUSE_MS = 100;

/** The queue behind this one. */
export interface Downstream {
  readonly depth: number;
  /** Whether to submit a request with this deadline would do any good now. */
  hasRoom(deadlineAtMs: number, nowMs: number): boolean;
  /** What one more request adds to the work of the executors. */
  readonly runMs: number;
  /** Called when there may be room again. */
  onRoom(listener: () => void): void;
}

interface Client {
  readonly isClientGone: boolean;
}

interface Waiting {
  readonly arrival: Arrival;
  readonly costMs: number;
  readonly turn: Deferred<boolean>;
  readonly client: Client;
}

/**
 * The line in front of the process itself. To make numbers of a megabyte of digits takes it longer than many a model
 * takes for them, so the event loop would be a queue that nobody bounds or sees. Instead, large bodies wait here as they
 * came; one is read in a turn of the loop, when the queue behind has room. Whoever would wait too long is refused by the
 * headers alone.
 */
export class Intake {
  readonly forecast: Forecast;
  readonly #queue: Downstream;
  readonly #maxDepth: number;
  readonly #line: Waiting[] = [];
  #costMs = 0;
  #isTurnDue = false;
  #timer: NodeJS.Timeout | undefined;
  /** The turn that was given last. */
  #latest: { readonly costMs: number; readonly startedAtMs: number } | undefined;

  constructor(queue: Downstream, maxDepth: number, forecast = new Forecast()) {
    this.#queue = queue;
    this.#maxDepth = maxDepth;
    this.forecast = forecast;
    queue.onRoom(() => this.#callSoon());
  }

  /** Bodies that wait to be read. */
  get length(): number {
    return this.#line.length;
  }

  /** Throws RequestError when there is no use in reading what is announced here. */
  check(arrival: Arrival, nowMs: number): void {
    if (nowMs >= arrival.deadlineAtMs) throw expired();
    if (arrival.bytes < LARGE_BYTES) return;
    if (this.#line.length > 0 && this.#line.length + this.#queue.depth >= this.#maxDepth) {
      throw this.#refusal(`the queue is full: ${this.#maxDepth} requests are waiting`);
    }
    if (!this.forecast.canMeet(arrival, this.#costOf(arrival), this.#ahead, nowMs)) throw this.#tooLate();
  }

  /**
   * Resolves when the body is to be read, with false when nobody is there any more; undefined: at once. Throws or
   * rejects with RequestError.
   */
  takeTurn(arrival: Arrival, client: Client, nowMs: number): Promise<boolean> | undefined {
    this.check(arrival, nowMs);
    if (arrival.bytes < LARGE_BYTES) return undefined;
    const turn = new Deferred<boolean>();
    const costMs = this.#costOf(arrival);
    this.#line.push({ arrival, costMs, turn, client });
    this.#costMs += costMs;
    this.#callSoon();
    return turn.promise;
  }

  get #ahead(): Ahead {
    return { bodies: this.#line.length, costMs: this.#costMs };
  }

  #costOf(arrival: Arrival): number {
    return this.forecast.readMs(arrival) + this.#queue.runMs;
  }

  #tooLate(): Error {
    return this.#refusal(
      `the answer would come after the request's deadline: ${this.#line.length} large bodies are waiting to be read`,
    );
  }

  #refusal(message: string): Error {
    return overloaded(message, this.forecast.retryAfterSeconds(this.#ahead));
  }

  /** Whatever else has come meanwhile is seen between one body and the next. */
  #callSoon(): void {
    if (this.#isTurnDue || (this.#line.length === 0 && this.#latest === undefined)) return;
    this.#isTurnDue = true;
    setImmediate(() => {
      this.#isTurnDue = false;
      if (this.#mayCall(performance.now())) this.#call();
      else this.#timer ??= setTimeout(() => this.#call(), LONGEST_PAUSE_MS);
    });
  }

  #mayCall(nowMs: number): boolean {
    const [first] = this.#line;
    if (first === undefined) return true;
    const usefulUntilMs = this.forecast.usefulUntilMs(first.arrival);
    // Whose time is over is in the way of others, and is not kept waiting for its refusal.
    return nowMs >= usefulUntilMs || this.#queue.hasRoom(usefulUntilMs, nowMs);
  }

  #call(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const nowMs = performance.now();
    if (this.#latest !== undefined) {
      this.forecast.recordTurn(this.#latest.costMs, nowMs - this.#latest.startedAtMs);
      this.#latest = undefined;
    }
    for (let next = this.#shift(); next !== undefined; next = this.#shift()) {
      if (!this.#settle(next, nowMs)) continue;
      this.#latest = { costMs: next.costMs, startedAtMs: nowMs };
      this.#callSoon();
      return;
    }
  }

  #shift(): Waiting | undefined {
    const next = this.#line.shift();
    // Sums of what comes and goes drift away from nothing.
    this.#costMs = this.#line.length === 0 ? 0 : this.#costMs - (next?.costMs ?? 0);
    return next;
  }

  /** Whether it is its turn: not when its time is over, and not when the time of those behind it is better spent. */
  #settle({ arrival, costMs, turn, client }: Waiting, nowMs: number): boolean {
    const behind = { bodies: this.#line.length, costMs: 0 };
    if (client.isClientGone) turn.resolve(false);
    else if (nowMs >= arrival.deadlineAtMs) turn.reject(expired());
    else if (!this.forecast.canMeet(arrival, costMs, behind, nowMs)) turn.reject(this.#tooLate());
    else {
      turn.resolve(true);
      return true;
    }
    return false;
  }
}
