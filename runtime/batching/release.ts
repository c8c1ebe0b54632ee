/** Why a batch went to the executor when it did, and with as many requests as it had. */
export type ReleaseReason =
  /** The model is not batched, or the request is tried alone after a failure of its batch. */
  | 'Alone'
  /** It held `maxBatchSize` rows, or the next request would have taken it beyond. */
  | 'Full'
  /** More were waiting, and by the cost curve they are answered sooner in another batch. */
  | 'Cheapest'
  /** By the cost curve nothing is gained by waiting for another request. */
  | 'NothingToGain'
  /** Waiting would pay if another request came, and none is expected in time. */
  | 'NobodyExpected'
  /** It waited for others as long as pays, or for `maxDelay`. */
  | 'DelayOver'
  /** One of its requests would miss its deadline by waiting, or by sharing a larger batch. */
  | 'DeadlineNear';

/** One batch as it went to an executor. */
export interface BatchRelease {
  readonly reason: ReleaseReason;
  readonly requests: number;
  /** Along the batch axis; 1 for each request of a model that has none. */
  readonly rows: number;
}

/** Whoever watches the batches: called once for each, at the moment of its release. */
export interface BatchObserver {
  onRelease(release: BatchRelease): void;
}
