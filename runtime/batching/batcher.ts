import type { InferWork } from '../tensor/validate.ts';
import { bucketKey, countRows } from './bucket.ts';
import { Company } from './company.ts';
import { CostCurve, type CostPoint } from './cost-curve.ts';
import {
  costMs,
  drainMs,
  planBatch,
  sharingPays,
  type BatchLimits,
  type BatchPlan,
  type WaitingRequest,
} from './planner.ts';

/** What the executor found out about batching while it warmed the model up. */
export interface BatchProfile {
  /** Why the model is not batched; undefined when it is. */
  readonly refusal: string | undefined;
  /** Of requests of zeros. */
  readonly costs: readonly CostPoint[];
}

interface Bucket {
  readonly curve: CostCurve;
  readonly company: Company;
  releasesWithRest: number;
}

/** Requests that go alone share this one. */
const ALONE = '';
const MOST_BUCKETS = 64;
const TRIAL_EVERY = 32;

/** Where a request belongs: requests of one key may share a run, those of no key go alone. */
export interface Place {
  readonly key: string;
  readonly rows: number;
}

/** What is known of each bucket of requests, and what to do with those that wait there. Time is an argument. */
export class Batcher {
  readonly #limits: BatchLimits;
  /** The one used last is the last. */
  readonly #buckets = new Map<string, Bucket>();
  #measured = new CostCurve([]);
  #isOff = true;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  /** Called when a model becomes ready. */
  learn({ refusal, costs }: BatchProfile): void {
    this.#isOff = refusal !== undefined || this.#limits.maxRows === 1;
    if (!this.#measured.isEmpty) return;
    this.#measured = new CostCurve(costs);
    this.#buckets.clear();
  }

  placeOf(work: InferWork): Place {
    const rows = this.#isOff ? undefined : countRows(work);
    if (rows === undefined || rows > this.#limits.maxRows) return { key: ALONE, rows: rows ?? 1 };
    return { key: bucketKey(work), rows };
  }

  /** `unanswered`: requests of the same bucket that wait or run. */
  recordArrival(key: string, unanswered: number, nowMs: number): void {
    this.#find(key).company.recordArrival(unanswered, nowMs);
  }

  /** What a run of so many rows took in the executor. */
  recordRun(key: string, rows: number, ms: number): void {
    this.#find(key).curve.record(key === ALONE ? 1 : rows, ms);
  }

  /** How long a batch will keep an executor busy. */
  costMs({ key, rows }: Place): number {
    return costMs(this.#find(key).curve, key === ALONE ? 1 : rows);
  }

  /** How long one executor takes for so many requests like this one. */
  drainMs(key: string, requests: number): number {
    return drainMs(this.#find(key).curve, requests, key === ALONE ? 1 : this.#limits.maxRows);
  }

  /** Whether an executor should rather be free for the next batch than hold one in reserve. */
  prefersToGather(key: string): boolean {
    return key !== ALONE && sharingPays(this.#find(key).curve);
  }

  /** How many requests like these go together where enough of them wait. */
  usualRequests(key: string): number {
    return this.prefersToGather(key) ? this.#limits.maxRows : 1;
  }

  /** Pre: `waiting` are all that wait in the bucket, in order of service, at least one. */
  plan(key: string, waiting: readonly WaitingRequest[], nowMs: number): BatchPlan {
    const [first] = waiting;
    if (key === ALONE) return { kind: 'Release', requests: 1, rows: first?.rows ?? 1, reason: 'Alone' };
    const bucket = this.#find(key);
    const { curve, company } = bucket;
    const plan = planBatch(
      {
        waiting,
        curve,
        expectedGapMs: company.expectedGapMs,
        lastArrivalAtMs: company.lastArrivalAtMs,
        isTrial: bucket.releasesWithRest >= TRIAL_EVERY,
      },
      this.#limits,
      nowMs,
    );
    if (bucket.releasesWithRest >= TRIAL_EVERY) bucket.releasesWithRest = 0;
    if (plan.kind === 'Release' && plan.requests < waiting.length) bucket.releasesWithRest++;
    return plan;
  }

  #find(key: string): Bucket {
    const known = this.#buckets.get(key);
    if (known !== undefined) {
      if (this.#buckets.size > 1) this.#touch(key, known);
      return known;
    }
    const bucket = { curve: this.#measured.borrow(), company: new Company(), releasesWithRest: 0 };
    this.#touch(key, bucket);
    if (this.#buckets.size > MOST_BUCKETS) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    return bucket;
  }

  #touch(key: string, bucket: Bucket): void {
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
  }
}
