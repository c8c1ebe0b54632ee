const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** The milliseconds in a duration such as 1h30m; throws on a text that the API server would have refused. */
export function durationMs(text: string): number {
  const parts = [...text.matchAll(/([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text) {
    throw new RangeError(`'${text}' is no duration such as 100ms, 30s, 10m or 1h30m`);
  }
  return parts.reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS],
    0,
  );
}

/** A duration in the form of Go and protobuf's JSON, which Istio reads: seconds with up to three decimals. */
export function protobufDuration(milliseconds: number): string {
  return `${Number((milliseconds / 1000).toFixed(3))}s`;
}
