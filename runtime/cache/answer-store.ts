import type { Tensor } from '../tensor/datatype.ts';

export interface StoreCounts {
  readonly entries: number;
  readonly bytes: number;
  /** Thrown out for room, before they were too old. */
  readonly evictions: number;
  /** Times that the store could not be asked, or not in time. */
  readonly failures: number;
}

/** Where answers are kept by the digest of what was asked. It never rejects: what it cannot find is a miss. */
export interface AnswerStore {
  readonly counts: StoreCounts;
  get(key: string): Promise<readonly Tensor[] | undefined>;
  set(key: string, outputs: readonly Tensor[]): void;
  close(): void;
}
