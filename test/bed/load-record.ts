/** One request of a load, as its worker writes it and its owner reads it. */
export interface LoadRecord {
  /** When it was due, in milliseconds since 1970. */
  readonly atMs: number;
  /** From when it was due to the last byte of its answer: a worker that is late makes latency, not silence. */
  readonly latencyMs: number;
  /** When it got a connection and went out: later than due where the machine or the other side is slow. */
  readonly sentAtMs: number;
  /** 0 when no answer came. */
  readonly status: number;
  readonly revision: string;
  readonly target: string;
  /** What went wrong on the way, or the start of the body of an answer that is no success; '' otherwise. */
  readonly problem: string;
}

export interface LoadPlan {
  readonly requestsPerSecond: number;
  readonly targets: readonly string[];
  readonly host: string;
  readonly path: string;
  readonly method: string;
  readonly bodies: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly connections: number;
  /** Asks this model over gRPC, `host` being the authority, instead of `path` over HTTP. */
  readonly grpcModel?: string | undefined;
  readonly resultFile: string;
}

export function formatRecord(record: LoadRecord): string {
  const { atMs, latencyMs, sentAtMs, status, revision, target, problem } = record;
  return `${[atMs.toFixed(1), latencyMs.toFixed(2), sentAtMs.toFixed(1), status, revision, target, problem.replaceAll(/[\t\n\r]/g, ' ')].join('\t')}\n`;
}

export function parseRecord(line: string): LoadRecord {
  const [atMs = '', latencyMs = '', sentAtMs = '', status = '', revision = '', target = '', problem = ''] =
    line.split('\t');
  return {
    atMs: Number(atMs),
    latencyMs: Number(latencyMs),
    sentAtMs: Number(sentAtMs),
    status: Number(status),
    revision,
    target,
    problem,
  };
}
