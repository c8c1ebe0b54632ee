import type { Span, Trace } from './span.ts';

/**
 * OTLP 1.x as JSON: ids in hexadecimal, 64-bit numbers as texts.
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */

const SPAN_KIND_INTERNAL = 1;
const SPAN_KIND_SERVER = 2;
const STATUS_CODE_ERROR = 2;

type AnyValue =
  { readonly stringValue: string } | { readonly intValue: string } | { readonly doubleValue: number };

interface KeyValue {
  readonly key: string;
  readonly value: AnyValue;
}

function valueOf(value: string | number): AnyValue {
  if (typeof value === 'string') return { stringValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

function attributesOf(attributes: Readonly<Record<string, string | number>>): KeyValue[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: valueOf(value) }));
}

/** To a microsecond, which a double can hold. */
function unixNanos(ms: number, timeOriginMs: number): string {
  return `${Math.round((timeOriginMs + ms) * 1000)}000`;
}

function spanOf({ traceId, traceState }: Trace, span: Span, timeOriginMs: number): object {
  return {
    traceId,
    spanId: span.spanId,
    ...(span.parentSpanId !== undefined && { parentSpanId: span.parentSpanId }),
    ...(traceState !== undefined && { traceState }),
    name: span.name,
    kind: span.isServer ? SPAN_KIND_SERVER : SPAN_KIND_INTERNAL,
    startTimeUnixNano: unixNanos(span.startMs, timeOriginMs),
    endTimeUnixNano: unixNanos(span.endMs, timeOriginMs),
    attributes: attributesOf(span.attributes),
    status: span.failure === undefined ? {} : { code: STATUS_CODE_ERROR, message: span.failure },
  };
}

export interface Resource {
  readonly attributes: Readonly<Record<string, string>>;
  readonly scope: { readonly name: string; readonly version: string };
}

/** The body of one export. `timeOriginMs` is performance.timeOrigin, from which the spans' times count. */
export function toOtlp(
  traces: readonly Trace[],
  { attributes, scope }: Resource,
  timeOriginMs: number,
): string {
  const spans = traces.flatMap((trace) => trace.spans.map((span) => spanOf(trace, span, timeOriginMs)));
  const resource = { attributes: attributesOf(attributes) };
  return JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ scope, spans }] }] });
}
