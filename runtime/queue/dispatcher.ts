import { splitOutputs } from '../batching/merge.ts';
import type { BatchObserver, ReleaseReason } from '../batching/release.ts';
import type { Tensor } from '../tensor/datatype.ts';
import type { Load } from './admission.ts';
import type { Job } from './job.ts';
import type { Lane } from './lane.ts';

/** Runs batches and learns from each what the next one will take. */
export class Dispatcher {
  readonly #load: Load;
  readonly #observers: readonly BatchObserver[];

  constructor(load: Load, observers: readonly BatchObserver[]) {
    this.#load = load;
    this.#observers = observers;
  }

  /** Each request's own outputs. Pre: the jobs are of one bucket. Rejects with whatever the executor rejects with. */
  async run(lane: Lane, jobs: readonly Job[], reason: ReleaseReason): Promise<Tensor[][]> {
    const { batcher, pace } = this.#load;
    const key = jobs[0]?.place.key ?? '';
    const rows = jobs.reduce((sum, job) => sum + job.rows, 0);
    const expectedMs = batcher.costMs({ key, rows });
    const dispatchedAtMs = performance.now();
    for (const { journey, admittedAtMs, heldAtMs } of jobs) {
      journey.queueMs = (heldAtMs ?? dispatchedAtMs) - admittedAtMs;
      journey.batchMs = heldAtMs === undefined ? undefined : dispatchedAtMs - heldAtMs;
      journey.batchRows = rows;
    }
    for (const observer of this.#observers) observer.onRelease({ reason, requests: jobs.length, rows });
    lane.begin(expectedMs);
    try {
      const { outputs, computeMs } = await lane.executor.run(jobs.map(({ work }) => work));
      for (const { journey } of jobs) journey.computeMs = computeMs;
      const parts = splitOutputs(
        outputs,
        jobs.map((job) => job.rows),
      );
      batcher.recordRun(key, rows, computeMs);
      return parts;
    } finally {
      pace.recordRun(expectedMs, lane.end(expectedMs, dispatchedAtMs, performance.now()));
    }
  }
}
