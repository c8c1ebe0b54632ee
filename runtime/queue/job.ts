import type { Place } from '../batching/batcher.ts';
import type { WaitingRequest } from '../batching/planner.ts';
import type { Deferred } from '../deferred.ts';
import type { Journey } from '../inference/journey.ts';
import type { Tensor } from '../tensor/datatype.ts';
import type { InferWork } from '../tensor/validate.ts';

export type JourneyTimes = Pick<Journey, 'queueMs' | 'batchMs' | 'computeMs' | 'batchRows' | 'deadlineAtMs'>;

/** A request between its admission and its answer. */
export interface Job extends WaitingRequest {
  readonly work: InferWork;
  readonly answer: Deferred<Tensor[]>;
  /** Told what this stage took. */
  readonly journey: JourneyTimes;
  readonly place: Place;
  /** The order of service; its deadline where it has one. */
  readonly dueAtMs: number;
  /** The order of arrival. */
  readonly sequence: number;
  /** Processes that ended while they had it. */
  losses: number;
  /** Since when it could have gone, and waits for others; undefined: it waits for an executor. */
  heldAtMs: number | undefined;
  isWithdrawn: boolean;
}
