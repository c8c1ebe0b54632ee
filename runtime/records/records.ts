import type { Logger } from 'winston';
import type { Journey, JourneyObserver, Outcome } from '../inference/journey.ts';
import { isSampled } from '../inference/sampling.ts';
import { LogThrottle } from '../log.ts';
import type { Labels, ScrapedMetric } from '../metrics/scraped.ts';
import { Outbox, type Sink } from '../outbox/outbox.ts';
import { outboxMetrics } from '../outbox/outbox-metrics.ts';
import { buildDecisionRecord, type Decider, type DecisionRecord } from './record.ts';
import type { RecordSettings, SinkSettings } from './settings.ts';
import { FileSink, type Erasure } from './sinks/file-sink.ts';
import { HttpSink } from './sinks/http-sink.ts';
import { StdoutSink } from './sinks/stdout-sink.ts';

const MOST_WAITING = 10_000;
const MOST_WAITING_BYTES = 32 * 2 ** 20;
const BATCH_SIZE = 256;
const LINGER_MS = 100;
const CLOSE_LIMIT_MS = 2000;
/** Roughly what the facts of a record weigh. */
const FACTS_BYTES = 600;

/** Undefined: what this sink has is not ours to erase. */
type Erase = ((requestIds: ReadonlySet<string>) => Promise<Erasure>) | undefined;

interface OpenSink {
  readonly sink: Sink<DecisionRecord>;
  readonly erase: Erase;
}

function openSink(settings: SinkSettings): OpenSink {
  switch (settings.kind) {
    case 'Stdout':
      return { sink: new StdoutSink(), erase: undefined };
    case 'Http':
      return { sink: new HttpSink(settings), erase: undefined };
    case 'File': {
      const sink = new FileSink(settings);
      return { sink, erase: (requestIds) => sink.erase(requestIds, Date.now()) };
    }
  }
}

export interface RecordsOptions {
  readonly settings: RecordSettings;
  readonly decider: () => Decider;
  readonly labels: Labels;
  readonly log: Logger;
}

/** A record of every answer and failure, or of a sample of them. */
export class Records implements JourneyObserver {
  readonly #options: RecordsOptions;
  readonly #outbox: Outbox<DecisionRecord>;
  readonly #erase: Erase;
  readonly #throttle = new LogThrottle();

  constructor(options: RecordsOptions) {
    this.#options = options;
    const { sink, erase } = openSink(options.settings.sink);
    this.#erase = erase;
    this.#outbox = new Outbox({
      sink,
      maxItems: MOST_WAITING,
      maxBytes: MOST_WAITING_BYTES,
      bytesOf: ({ inputs = '', outputs = '' }) => FACTS_BYTES + inputs.length + outputs.length,
      batchSize: BATCH_SIZE,
      lingerMs: LINGER_MS,
      onFailure: (error, lost) => this.#warn(error, lost),
    });
  }

  onEnd(journey: Journey, outcome: Outcome, endedAtMs: number): void {
    const { settings, decider } = this.#options;
    if (!isSampled(journey.requestId, settings.sampleShare)) return;
    const arrivedAtEpochMs = performance.timeOrigin + journey.arrivedAtMs;
    const ending = { journey, outcome, latencyMs: endedAtMs - journey.arrivedAtMs, arrivedAtEpochMs };
    this.#outbox.put(buildDecisionRecord(ending, decider(), settings));
  }

  put(record: DecisionRecord): void {
    this.#outbox.put(record);
  }

  get canErase(): boolean {
    return this.#erase !== undefined;
  }

  /** Pre: canErase. Also what is still on its way into the files. */
  async erase(requestIds: ReadonlySet<string>): Promise<Erasure> {
    await this.#outbox.flush();
    return (await this.#erase?.(requestIds)) ?? { erased: 0, otherPods: [] };
  }

  close(): Promise<void> {
    return this.#outbox.close(CLOSE_LIMIT_MS);
  }

  scraped(): ScrapedMetric[] {
    const names = {
      written: 'headgate_records_written_total',
      writtenHelp: 'Decision records that their sink has taken.',
      dropped: 'headgate_records_dropped_total',
      droppedHelp:
        'Decision records that are lost: because their buffer was full, or because their sink failed.',
    };
    return outboxMetrics(names, this.#options.labels, () => this.#outbox.counts);
  }

  #warn({ message }: Error, lost: number): void {
    const heldBack = this.#throttle.admit(performance.now());
    if (heldBack === undefined) return;
    this.#options.log.warn('decision records are lost', { cause: message, lost, heldBack });
  }
}
