/** Which trace a request is a part of, as its sender says. https://www.w3.org/TR/trace-context/ */
export interface TraceContext {
  /** 32 and 16 lower-case hexadecimal digits. */
  readonly traceId: string;
  readonly parentSpanId: string;
  /** The sender records this trace. */
  readonly isSampled: boolean;
}

const VERSION_0 = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/u;
/** May have more behind the flags, which is not for us to understand; ff is forbidden. */
const LATER_VERSION =
  /^(?!00|ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/u;
const SAMPLED = 1;

/** Undefined for what is no valid header: whoever reads it then begins a trace of its own. */
export function parseTraceparent(header = ''): TraceContext | undefined {
  const [, traceId, parentSpanId, flags] = VERSION_0.exec(header) ?? LATER_VERSION.exec(header) ?? [];
  if (traceId === undefined || parentSpanId === undefined || flags === undefined) return undefined;
  return { traceId, parentSpanId, isSampled: (parseInt(flags, 16) & SAMPLED) === SAMPLED };
}
