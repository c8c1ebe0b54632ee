import type { Job } from './job.ts';
import type { Lane } from './lane.ts';

export type Dispatch = (lane: Lane, jobs: readonly Job[]) => void;

/**
 * Requests whose batch failed: each goes again alone. One whose process was lost may be what ended it, so it gets an
 * executor that has nothing else.
 */
export class SecondTries {
  readonly #afterErrors: Job[] = [];
  readonly #afterLosses: Job[] = [];

  get length(): number {
    return this.#afterErrors.length + this.#afterLosses.length;
  }

  add(job: Job): void {
    (job.losses > 0 ? this.#afterLosses : this.#afterErrors).push(job);
  }

  /** False when it does not wait here. */
  remove(job: Job): boolean {
    for (const list of [this.#afterErrors, this.#afterLosses]) {
      const position = list.indexOf(job);
      if (position < 0) continue;
      list.splice(position, 1);
      return true;
    }
    return false;
  }

  removeAll(): Job[] {
    return [...this.#afterLosses.splice(0), ...this.#afterErrors.splice(0)];
  }

  /** They go before all others: they have waited longest. */
  release(lanes: readonly Lane[], dispatch: Dispatch): void {
    this.#releaseSuspect(lanes, dispatch);
    for (const lane of lanes) {
      while (this.#afterErrors.length > 0 && lane.hasRoom(false))
        dispatch(lane, this.#afterErrors.splice(0, 1));
    }
  }

  #releaseSuspect(lanes: readonly Lane[], dispatch: Dispatch): void {
    for (const lane of lanes) if (lane.isIdle) lane.isReserved = false;
    if (this.#afterLosses.length === 0) return;
    const ready = lanes.filter(({ isReady }) => isReady);
    const reserved =
      ready.find(({ isReserved }) => isReserved) ??
      ready.toSorted((left, right) => left.expectedMs - right.expectedMs)[0];
    if (reserved === undefined) return;
    reserved.isReserved = true;
    if (reserved.isIdle) dispatch(reserved, this.#afterLosses.splice(0, 1));
  }
}
