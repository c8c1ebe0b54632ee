import type { Labels, ScrapedMetric } from '../metrics/scraped.ts';
import type { OutboxCounts } from './outbox.ts';

export interface OutboxMetricNames {
  /** The metric's name ends in `_total`. */
  readonly written: string;
  readonly writtenHelp: string;
  readonly dropped: string;
  readonly droppedHelp: string;
}

/** What became of all that was put into an outbox. */
export function outboxMetrics(
  names: OutboxMetricNames,
  labels: Labels,
  readCounts: () => OutboxCounts,
): ScrapedMetric[] {
  return [
    {
      name: names.written,
      help: names.writtenHelp,
      type: 'counter',
      read: () => [{ labels, value: readCounts().written }],
    },
    {
      name: names.dropped,
      help: names.droppedHelp,
      type: 'counter',
      read: () => {
        const { droppedFull, droppedBySink } = readCounts();
        return [
          { labels: { ...labels, reason: 'BufferFull' }, value: droppedFull },
          { labels: { ...labels, reason: 'SinkFailed' }, value: droppedBySink },
        ];
      },
    },
  ];
}
