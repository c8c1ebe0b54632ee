import type { Journey, JourneyObserver, Outcome } from '../inference/journey.ts';
import { answeredOf, type Answered } from './answered.ts';
import { LatencyWindow, WINDOW_SECONDS, type WindowCounts } from './latency-window.ts';
import { RoutingsSeen, type RoutingSeen } from './routings-seen.ts';

/** What the operator polls during a rollout. */
export interface TrafficReport {
  /** Of users alone, as the window. */
  readonly total: WindowCounts;
  readonly window: WindowCounts & { readonly seconds: number };
  /** Copies of users' requests within the same window. */
  readonly mirrors: WindowCounts;
  /** Of all that this server answers, as what follows: users, copies and previews. */
  readonly latencyP95Ms: number;
  /** Without later messages of streams, as what follows: a stream stays where it was opened, whatever routes say by now. */
  readonly inFlight: number;
  readonly lastRequestSecondsAgo: number | null;
  readonly routings: readonly RoutingSeen[];
  /** A client keeps its connection whatever a Service says by now; a new one shows where Services send. */
  readonly lastConnectionSecondsAgo: number | null;
}

/** Answers that say how fast the model is: a shed or refused request never saw it. */
function hasReachedModel(status: number): boolean {
  return status === 200 || status === 500;
}

/**
 * Counts the infer requests of one revision. Whatever is work keeps the server busy, so the autoscaler's latency and the
 * draining look at all of it; what users got is counted apart from what nobody saw.
 */
export class Traffic implements JourneyObserver {
  readonly #all = new LatencyWindow();
  readonly #users = new LatencyWindow();
  readonly #mirrors = new LatencyWindow();
  readonly #routings = new RoutingsSeen();
  #requests = 0;
  #errors = 0;
  #inFlight = 0;
  #lastRequestMs: number | undefined;
  #lastConnectionMs: number | undefined;

  onArrival({ arrivedAtMs, header, isLaterInStream }: Journey): void {
    if (isLaterInStream) return;
    const routing = header('x-headgate-routing');
    if (routing !== undefined) this.recordRouting(routing, arrivedAtMs);
    this.recordArrival(arrivedAtMs);
  }

  onEnd(journey: Journey, outcome: Outcome, endedAtMs: number): void {
    if (!journey.isLaterInStream) this.recordDeparture();
    const answered = answeredOf(journey, outcome, endedAtMs);
    if (answered !== undefined) this.recordAnswer(answered, endedAtMs);
  }

  recordRouting(hash: string, nowMs: number): void {
    this.#routings.record(hash, nowMs);
  }

  recordConnection(nowMs: number): void {
    this.#lastConnectionMs = nowMs;
  }

  recordArrival(nowMs: number): void {
    this.#inFlight++;
    this.#lastRequestMs = nowMs;
  }

  recordAnswer({ origin, status, latencyMs }: Answered, nowMs: number): void {
    const isError = status >= 500;
    const answer = { isError, latencyMs: hasReachedModel(status) ? latencyMs : undefined };
    this.#all.record(answer, nowMs);
    if (origin === 'Mirror') this.#mirrors.record(answer, nowMs);
    if (origin !== 'User') return;
    this.#users.record(answer, nowMs);
    this.#requests++;
    if (isError) this.#errors++;
  }

  /** Answered, or the client was gone before. */
  recordDeparture(): void {
    this.#inFlight--;
  }

  latencyP95Ms(nowMs: number): number {
    return this.#all.quantileMs(0.95, nowMs);
  }

  report(nowMs: number): TrafficReport {
    return {
      total: { requests: this.#requests, errors: this.#errors },
      window: { seconds: WINDOW_SECONDS, ...this.#users.counts(nowMs) },
      mirrors: this.#mirrors.counts(nowMs),
      latencyP95Ms: this.latencyP95Ms(nowMs),
      inFlight: this.#inFlight,
      lastRequestSecondsAgo: secondsSince(this.#lastRequestMs, nowMs),
      routings: this.#routings.list(nowMs),
      lastConnectionSecondsAgo: secondsSince(this.#lastConnectionMs, nowMs),
    };
  }
}

function secondsSince(pastMs: number | undefined, nowMs: number): number | null {
  return pastMs === undefined ? null : (nowMs - pastMs) / 1000;
}
