/** Which trace a request is a part of, as its sender says. https://www.w3.org/TR/trace-context/ */
export interface TraceContext {
  /** 32 and 16 lower-case hexadecimal digits. */
  readonly traceId: string;
  readonly parentSpanId: string;
  /** The sender records this trace. */
  readonly isSampled: boolean;
}

/** A later version may have more behind the flags, which is not for us to understand. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/u;
const SAMPLED = 1;

/** Undefined for what is no valid header: whoever reads it then begins a trace of its own. */
export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  const [, version, traceId = '', parentSpanId = '', flags = '', rest] = TRACEPARENT.exec(header ?? '') ?? [];
  if (version === undefined || version === 'ff') return undefined;
  if (version === '00' && rest !== undefined) return undefined;
  if (/^0+$/u.test(traceId) || /^0+$/u.test(parentSpanId)) return undefined;
  return { traceId, parentSpanId, isSampled: (parseInt(flags, 16) & SAMPLED) === SAMPLED };
}
