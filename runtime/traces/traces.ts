import { randomBytes } from 'node:crypto';
import type { Logger } from 'winston';
import { SERVER_NAME, SERVER_VERSION } from '../inference/data-plane.ts';
import type { Journey, JourneyObserver, Outcome } from '../inference/journey.ts';
import { LogThrottle } from '../log.ts';
import type { ScrapedMetric } from '../metrics/scraped.ts';
import { Outbox } from '../outbox/outbox.ts';
import { outboxMetrics } from '../outbox/outbox-metrics.ts';
import { OtlpSink } from './otlp-sink.ts';
import type { TraceSettings } from './settings.ts';
import { buildSpans, type Trace } from './span.ts';
import { parseTraceparent } from './trace-context.ts';

const MOST_WAITING = 2048;
const MOST_WAITING_BYTES = 8 * 2 ** 20;
const BATCH_SIZE = 128;
const LINGER_MS = 100;
const CLOSE_LIMIT_MS = 2000;
const TRACE_BYTES = 1500;
const LONGEST_TRACE_STATE = 512;

export interface TracesOptions {
  readonly settings: TraceSettings;
  readonly labels: Readonly<Record<'model' | 'version' | 'revision', string>>;
  readonly log: Logger;
}

/** Hexadecimal digits, two for each byte. */
function newId(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}

/** A span for each request and its stages, where its sender records the trace, or of a share of those without one. */
export class Traces implements JourneyObserver {
  readonly #options: TracesOptions;
  readonly #outbox: Outbox<Trace>;
  readonly #attributes: Readonly<Record<string, string>>;
  readonly #throttle = new LogThrottle();

  constructor(options: TracesOptions) {
    this.#options = options;
    const { settings, labels } = options;
    this.#attributes = {
      'headgate.model': labels.model,
      'headgate.model_version': labels.version,
      'headgate.revision': labels.revision,
    };
    const attributes = { 'service.name': settings.serviceName, ...settings.resourceAttributes };
    const scope = { name: SERVER_NAME, version: SERVER_VERSION };
    this.#outbox = new Outbox<Trace>({
      sink: new OtlpSink(settings, { attributes, scope }),
      maxItems: MOST_WAITING,
      maxBytes: MOST_WAITING_BYTES,
      bytesOf: () => TRACE_BYTES,
      batchSize: BATCH_SIZE,
      lingerMs: LINGER_MS,
      onFailure: (error, lost) => this.#warn(error, lost),
    });
  }

  onEnd(journey: Journey, outcome: Outcome, endedAtMs: number): void {
    const parent = parseTraceparent(journey.header('traceparent'));
    const isSampled = parent?.isSampled ?? Math.random() < this.#options.settings.rootShare;
    if (!isSampled) return;
    const sources = {
      parentSpanId: parent?.parentSpanId,
      attributes: this.#attributes,
      newSpanId: () => newId(8),
    };
    this.#outbox.put({
      traceId: parent?.traceId ?? newId(16),
      traceState:
        parent === undefined ? undefined : journey.header('tracestate')?.slice(0, LONGEST_TRACE_STATE),
      spans: buildSpans(journey, outcome, endedAtMs, sources),
    });
  }

  close(): Promise<void> {
    return this.#outbox.close(CLOSE_LIMIT_MS);
  }

  scraped(): ScrapedMetric[] {
    const names = {
      written: 'headgate_traces_exported_total',
      writtenHelp: 'Traces of requests that the collector has taken.',
      dropped: 'headgate_traces_dropped_total',
      droppedHelp:
        'Traces of requests that are lost: because their buffer was full, or because the collector failed.',
    };
    return outboxMetrics(names, this.#options.labels, () => this.#outbox.counts);
  }

  #warn({ message }: Error, lost: number): void {
    const heldBack = this.#throttle.admit(performance.now());
    if (heldBack === undefined) return;
    this.#options.log.warn('traces are lost', { cause: message, lost, heldBack });
  }
}
