import type { RequestErrorReason } from '../errors.ts';
import type { Arrival } from './forecast.ts';
import type { Intake } from './intake.ts';
import { LARGE_BYTES, type BodyForm } from './reading-cost.ts';

/** Who sends a body, and who makes a request of it. */
interface Sender {
  readonly form: BodyForm;
  readonly isClientGone: boolean;
}

interface Times {
  readonly arrivedAtMs: number;
  /** Of the protocol or the configuration; Infinity where neither says one. */
  readonly deadlineAtMs: number;
}

interface Parser<Request> {
  parse(): Request;
}

/** One body on its way through the intake, and what the intake learns from what becomes of it. */
export class Reading {
  readonly #intake: Intake;
  readonly #sender: Sender;
  readonly #times: Times;
  #bytes = 0;
  #hasWaited = false;
  #readAtMs: number | undefined;

  constructor(intake: Intake, sender: Sender, times: Times) {
    this.#intake = intake;
    this.#sender = sender;
    this.#times = times;
  }

  /** A body of so many bytes begins to come. Throws RequestError when there is no use in taking it in. */
  announce(bytes: number, nowMs: number): void {
    this.#intake.check(this.#arrivalOf(bytes), nowMs);
  }

  /**
   * All of the body is here: resolves when it is to be read, with false when nobody waits for it any more; undefined: at
   * once. Throws or rejects with RequestError.
   */
  untilTurn(bytes: number, nowMs: number): Promise<boolean> | undefined {
    this.#bytes = bytes;
    const turn = this.#intake.takeTurn(this.#arrivalOf(bytes), this.#sender, nowMs);
    this.#hasWaited = turn !== undefined;
    return turn;
  }

  read<Request>(parser: Parser<Request>): Request {
    if (!this.#isLarge) return parser.parse();
    const startedAtMs = performance.now();
    const request = parser.parse();
    this.#readAtMs = performance.now();
    this.#intake.forecast.recordReading(this.#arrivalOf(this.#bytes), this.#readAtMs - startedAtMs);
    return request;
  }

  /** `reason`: of its refusal; `deadlineAtMs`: with what the body said of it, undefined for none. */
  end(reason: RequestErrorReason | undefined, deadlineAtMs: number | undefined, nowMs: number): void {
    if (!this.#isLarge) return;
    const { forecast } = this.#intake;
    const isAnswered = reason === undefined;
    if (this.#readAtMs !== undefined) {
      forecast.recordPatience((deadlineAtMs ?? Infinity) - this.#times.arrivedAtMs);
      if (isAnswered) forecast.recordAnswer(nowMs - this.#readAtMs);
    }
    if (!this.#hasWaited || deadlineAtMs === undefined) return;
    if (isAnswered) forecast.recordOutcome(nowMs <= deadlineAtMs);
    else if (reason === 'Overloaded' || reason === 'DeadlineExceeded') forecast.recordOutcome(false);
  }

  /** Of a body that is here. */
  get #isLarge(): boolean {
    return this.#bytes >= LARGE_BYTES;
  }

  #arrivalOf(bytes: number): Arrival {
    const { arrivedAtMs, deadlineAtMs } = this.#times;
    return { form: this.#sender.form, bytes, arrivedAtMs, deadlineAtMs };
  }
}
