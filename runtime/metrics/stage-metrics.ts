import type { BatchObserver, BatchRelease, ReleaseReason } from '../batching/release.ts';
import type { Journey, JourneyObserver, Outcome } from '../inference/journey.ts';
import type { ScrapedMetric } from './scraped.ts';
import { CounterFamily, HistogramSeries } from './series.ts';

export interface ModelLabels {
  readonly model: string;
  readonly version: string;
  readonly revision: string;
}

/** From a tenth of a millisecond, which a small model takes, to ten seconds. */
export const DURATION_BUCKETS_SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;
const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256] as const;

const stages = ['parse', 'queue', 'batch', 'compute', 'serialise'] as const;
type Stage = (typeof stages)[number];

const cacheResults = { Hit: 'hit', Miss: 'miss', Shared: 'shared' } as const;

function stageHistogram(): HistogramSeries {
  return new HistogramSeries(DURATION_BUCKETS_SECONDS);
}

/** Where the time of requests went, how full batches were, and what the cache saved; of whoever's requests. */
export class StageMetrics implements JourneyObserver, BatchObserver {
  readonly #labels: ModelLabels;
  readonly #users = stageHistogram();
  readonly #stages: Readonly<Record<Stage, HistogramSeries>> = {
    parse: stageHistogram(),
    queue: stageHistogram(),
    batch: stageHistogram(),
    compute: stageHistogram(),
    serialise: stageHistogram(),
  };
  readonly #batchRows = new HistogramSeries(BATCH_BUCKETS);
  readonly #batchRequests = new HistogramSeries(BATCH_BUCKETS);
  readonly #releases: CounterFamily<ReleaseReason>;
  readonly #cache: CounterFamily<'hit' | 'miss' | 'shared'>;

  constructor(labels: ModelLabels) {
    this.#labels = labels;
    this.#releases = new CounterFamily('reason', { ...labels });
    this.#cache = new CounterFamily('result', { ...labels }, ['hit', 'miss', 'shared']);
  }

  onEnd(journey: Journey, outcome: Outcome, endedAtMs: number): void {
    const { parseMs, queueMs, batchMs, computeMs, serialiseMs, cache } = journey;
    if (journey.origin === 'User' && outcome.kind !== 'HungUp') {
      this.#users.observe((endedAtMs - journey.arrivedAtMs) / 1000);
    }
    // What never came to a stage took no time there: a zero would draw the figure down.
    if (parseMs !== undefined) this.#stages.parse.observe(parseMs / 1000);
    if (queueMs !== undefined) this.#stages.queue.observe(queueMs / 1000);
    if (batchMs !== undefined) this.#stages.batch.observe(batchMs / 1000);
    if (computeMs !== undefined) this.#stages.compute.observe(computeMs / 1000);
    if (serialiseMs !== undefined) this.#stages.serialise.observe(serialiseMs / 1000);
    if (cache !== undefined) this.#cache.of(cacheResults[cache]).add();
  }

  onRelease({ requests, rows, reason }: BatchRelease): void {
    this.#batchRequests.observe(requests);
    this.#batchRows.observe(rows);
    this.#releases.of(reason).add();
  }

  scraped(): ScrapedMetric[] {
    const labels = { ...this.#labels };
    const histogram = (name: string, help: string, series: HistogramSeries): ScrapedMetric => ({
      name,
      help,
      type: 'histogram',
      read: () => series.samples(name, labels),
    });
    const stageName = 'headgate_stage_duration_seconds';
    return [
      histogram(
        'headgate_request_duration_seconds',
        "Time from the arrival of a user's infer request to its answer.",
        this.#users,
      ),
      {
        name: stageName,
        help: 'Time that infer requests spent in each stage that they came to.',
        type: 'histogram',
        read: () => stages.flatMap((stage) => this.#stages[stage].samples(stageName, { ...labels, stage })),
      },
      histogram('headgate_batch_rows', 'Rows of what the model ran at once.', this.#batchRows),
      histogram('headgate_batch_requests', 'Requests that the model ran at once.', this.#batchRequests),
      {
        name: 'headgate_batch_releases_total',
        help: 'Batches by the reason why they left for the model when they did.',
        type: 'counter',
        read: this.#releases.read,
      },
      {
        name: 'headgate_cache_requests_total',
        help: 'Infer requests by what the cache did: hit, miss, or shared with an equal request under way.',
        type: 'counter',
        read: this.#cache.read,
      },
    ];
  }
}
