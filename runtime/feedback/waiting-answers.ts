import type { Labels, ScrapedMetric } from '../metrics/scraped.ts';

export type Label = string | number | boolean;

/** What is remembered of an answer until its label comes. */
export interface WaitingAnswer {
  /** The label may come to a pod of another one. */
  readonly revision: string;
  readonly modelDigest: string | null;
  /** Classes as texts, values as numbers: one a row. */
  readonly predicted: readonly Label[];
}

/** Answers by the id of their request. */
export interface WaitingAnswers {
  /** Never fails and never waits; an id that comes again is that of its latest answer. */
  keep(requestId: string, answer: WaitingAnswer): void;
  /** Undefined: there is none. Rejects with RequestError where that cannot be told. */
  find(requestId: string): Promise<WaitingAnswer | undefined>;
  /** Like find, and forgets it: of all that take it at one time, one gets it. */
  take(requestId: string): Promise<WaitingAnswer | undefined>;
  scraped(labels: Labels): readonly ScrapedMetric[];
  close(): void;
}
