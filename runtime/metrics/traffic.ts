import { LatencyWindow, WINDOW_SECONDS } from './latency-window.ts';
import { RoutingsSeen, type RoutingSeen } from './routings-seen.ts';

/** What the operator polls during a rollout; every number is of users' infer requests alone. */
export interface TrafficReport {
  readonly total: { readonly requests: number; readonly errors: number };
  readonly window: { readonly seconds: number; readonly requests: number; readonly errors: number };
  readonly latencyP95Ms: number;
  readonly inFlight: number;
  readonly lastRequestSecondsAgo: number | null;
  readonly routings: readonly RoutingSeen[];
}

export interface Answered {
  readonly status: number;
  /** From the arrival of the request to its answer. */
  readonly latencyMs: number;
}

/** Answers that say how fast the model is: a shed or refused request never saw it. */
function hasReachedModel(status: number): boolean {
  return status === 200 || status === 500;
}

/** Counts the users' infer requests of one revision; mirrored copies only tell which routing they came by. */
export class Traffic {
  readonly #window = new LatencyWindow();
  readonly #routings = new RoutingsSeen();
  #requests = 0;
  #errors = 0;
  #inFlight = 0;
  #lastRequestMs: number | undefined;

  recordRouting(hash: string, nowMs: number): void {
    this.#routings.record(hash, nowMs);
  }

  recordArrival(nowMs: number): void {
    this.#inFlight++;
    this.#lastRequestMs = nowMs;
  }

  recordAnswer({ status, latencyMs }: Answered, nowMs: number): void {
    const isError = status >= 500;
    this.#inFlight--;
    this.#requests++;
    if (isError) this.#errors++;
    this.#window.record({ isError, latencyMs: hasReachedModel(status) ? latencyMs : undefined }, nowMs);
  }

  /** The client was gone before there was an answer: nobody's error. */
  recordHangUp(): void {
    this.#inFlight--;
  }

  latencyP95Ms(nowMs: number): number {
    return this.#window.quantileMs(0.95, nowMs);
  }

  report(nowMs: number): TrafficReport {
    return {
      total: { requests: this.#requests, errors: this.#errors },
      window: { seconds: WINDOW_SECONDS, ...this.#window.counts(nowMs) },
      latencyP95Ms: this.latencyP95Ms(nowMs),
      inFlight: this.#inFlight,
      lastRequestSecondsAgo: this.#lastRequestMs === undefined ? null : (nowMs - this.#lastRequestMs) / 1000,
      routings: this.#routings.list(nowMs),
    };
  }
}
