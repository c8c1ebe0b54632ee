import type { Labels, ScrapedMetric } from '../metrics/scraped.ts';
import type { Tensor } from '../tensor/datatype.ts';

/** Where answers are kept by the digest of what was asked. It never rejects: what it cannot find is a miss. */
export interface AnswerStore {
  get(key: string): Promise<readonly Tensor[] | undefined>;
  set(key: string, outputs: readonly Tensor[]): void;
  scraped(labels: Labels): readonly ScrapedMetric[];
  close(): void;
}
