import type { Job } from './job.ts';

function isBefore(left: Job, right: Job): boolean {
  return left.dueAtMs === right.dueAtMs ? left.sequence < right.sequence : left.dueAtMs < right.dueAtMs;
}

/** The index of the first job that is not before this one. */
function positionOf(jobs: readonly Job[], job: Job): number {
  const last = jobs.at(-1);
  if (last === undefined || isBefore(last, job)) return jobs.length;
  let [low, high] = [0, jobs.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(jobs[middle] as Job, job)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function remove(jobs: Job[], job: Job): boolean {
  const position = positionOf(jobs, job);
  if (jobs[position] !== job) return false;
  // The first is by far the most frequent, and shift() moves nothing in memory.
  if (position === 0) jobs.shift();
  else jobs.splice(position, 1);
  return true;
}

/** Those that wait, the earliest due first: all of them, and those of each bucket. */
export class WaitingLine {
  readonly #all: Job[] = [];
  readonly #byKey = new Map<string, Job[]>();
  /** Those that have a deadline. */
  readonly #expiring: Job[] = [];

  get length(): number {
    return this.#all.length;
  }

  add(job: Job): void {
    this.#all.splice(positionOf(this.#all, job), 0, job);
    if (job.deadlineAtMs !== undefined) this.#expiring.splice(positionOf(this.#expiring, job), 0, job);
    const bucket = this.#byKey.get(job.place.key);
    if (bucket === undefined) this.#byKey.set(job.place.key, [job]);
    else bucket.splice(positionOf(bucket, job), 0, job);
  }

  /** False when it does not wait here. */
  remove(job: Job): boolean {
    if (!remove(this.#all, job)) return false;
    if (job.deadlineAtMs !== undefined) remove(this.#expiring, job);
    const bucket = this.#byKey.get(job.place.key) ?? [];
    remove(bucket, job);
    if (bucket.length === 0) this.#byKey.delete(job.place.key);
    return true;
  }

  removeAll(): Job[] {
    const jobs = this.#all.splice(0);
    this.#byKey.clear();
    this.#expiring.length = 0;
    return jobs;
  }

  /** The first whose bucket is not among these. */
  firstOutside(keys: ReadonlySet<string>): Job | undefined {
    return keys.size === 0 ? this.#all[0] : this.#all.find(({ place }) => !keys.has(place.key));
  }

  ofBucket(key: string): readonly Job[] {
    return this.#byKey.get(key) ?? [];
  }

  /** How many are served before a job that would be due then. */
  countDueBefore(dueAtMs: number): number {
    const position = this.#all.findLastIndex((job) => job.dueAtMs <= dueAtMs);
    return position + 1;
  }

  /** Those behind the first so many. */
  after(count: number): readonly Job[] {
    return count >= this.#all.length ? [] : this.#all.slice(count);
  }

  takeExpired(nowMs: number): Job[] {
    const expired: Job[] = [];
    for (let job = this.#expiring[0]; job !== undefined && job.dueAtMs <= nowMs; job = this.#expiring[0]) {
      this.remove(job);
      expired.push(job);
    }
    return expired;
  }

  /** When the next one expires. */
  get nextExpiryAtMs(): number | undefined {
    return this.#expiring[0]?.dueAtMs;
  }
}
