import type { Journey, Outcome } from '../inference/journey.ts';

export interface Span {
  readonly name: string;
  readonly spanId: string;
  /** Undefined for the first span of a trace. */
  readonly parentSpanId: string | undefined;
  readonly isServer: boolean;
  /** Of performance.now(). */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** Why it failed; undefined when it did not, or when the client was at fault. */
  readonly failure: string | undefined;
}

/** One request as its trace has it. */
export interface Trace {
  readonly traceId: string;
  readonly traceState: string | undefined;
  readonly spans: readonly Span[];
}

export interface SpanSources {
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** 16 hexadecimal digits. */
  readonly newSpanId: () => string;
}

function endAttributes(outcome: Outcome): Record<string, string | number> {
  switch (outcome.kind) {
    case 'Answered':
      return { 'http.response.status_code': 200 };
    case 'HungUp':
      return { 'error.type': 'HungUp' };
    case 'Refused':
      return { 'http.response.status_code': outcome.httpStatus, 'error.type': outcome.reason };
  }
}

/** OpenTelemetry's rule for servers: what is the client's fault is no failure of the span. */
function failureOf(outcome: Outcome): string | undefined {
  return outcome.kind === 'Refused' && outcome.httpStatus >= 500 ? outcome.reason : undefined;
}

interface Stage {
  readonly name: string;
  readonly startMs: number;
  readonly tookMs: number | undefined;
  readonly attributes?: Readonly<Record<string, number>>;
}

/** Stages follow each other from the arrival on; the answer is written last. */
function stagesOf(journey: Journey, endedAtMs: number): Stage[] {
  const { arrivedAtMs, parseMs = 0, queueMs = 0, batchMs = 0, batchRows } = journey;
  const queuedAtMs = arrivedAtMs + parseMs;
  const heldAtMs = queuedAtMs + queueMs;
  const attributes = batchRows === undefined ? {} : { 'headgate.batch.rows': batchRows };
  return [
    { name: 'parse', startMs: arrivedAtMs, tookMs: journey.parseMs },
    { name: 'queue', startMs: queuedAtMs, tookMs: journey.queueMs },
    { name: 'batch', startMs: heldAtMs, tookMs: journey.batchMs },
    { name: 'compute', startMs: heldAtMs + batchMs, tookMs: journey.computeMs, attributes },
    { name: 'serialise', startMs: endedAtMs - (journey.serialiseMs ?? 0), tookMs: journey.serialiseMs },
  ];
}

/** The request and, below it, each stage that it came to. */
export function buildSpans(
  journey: Journey,
  outcome: Outcome,
  endedAtMs: number,
  sources: SpanSources,
): Span[] {
  const { parentSpanId, attributes, newSpanId } = sources;
  const { requestId, protocol, origin, arrivedAtMs, cache } = journey;
  const spanId = newSpanId();
  const request: Span = {
    name: 'infer',
    spanId,
    parentSpanId,
    isServer: true,
    startMs: arrivedAtMs,
    endMs: endedAtMs,
    attributes: {
      ...attributes,
      'headgate.request_id': requestId,
      'headgate.protocol': protocol,
      'headgate.origin': origin,
      ...(cache !== undefined && { 'headgate.cache': cache }),
      ...endAttributes(outcome),
    },
    failure: failureOf(outcome),
  };
  const stages = stagesOf(journey, endedAtMs).flatMap(
    ({ name, startMs, tookMs, attributes: own = {} }): Span[] => {
      if (tookMs === undefined) return [];
      const endMs = startMs + tookMs;
      const head = { name, spanId: newSpanId(), parentSpanId: spanId, isServer: false };
      return [{ ...head, startMs, endMs, attributes: own, failure: undefined }];
    },
  );
  return [request, ...stages];
}
