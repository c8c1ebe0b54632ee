import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseRecord, type LoadPlan, type LoadRecord } from './load-record.ts';
import { toolchain } from './toolchain.ts';
import { waitFor } from './wait.ts';

export type { LoadRecord } from './load-record.ts';

export interface LoadOptions {
  readonly requestsPerSecond: number;
  /** `address:port`, taken in turn: both gateways, a ClusterIP, or a pod. */
  readonly targets: readonly string[];
  /** The Host header. */
  readonly host: string;
  readonly path: string;
  /** Taken in turn; without one the load asks by GET. */
  readonly bodies?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly connections?: number;
  /** Asks this model over gRPC instead of `path` over HTTP. */
  readonly grpcModel?: string;
  /** Words in front of the worker's command, such as a client's network namespace. */
  readonly enter?: readonly string[];
}

export interface LoadCounts {
  readonly requests: number;
  readonly failed: number;
  readonly byStatus: Readonly<Record<string, number>>;
  /** Answered requests by the revision that answered; '' is an answer that names none. */
  readonly byRevision: Readonly<Record<string, number>>;
  readonly latencyP50Ms: number;
  readonly latencyP95Ms: number;
  readonly latencyMaxMs: number;
}

export interface TimeRange {
  readonly fromMs?: number;
  readonly toMs?: number;
}

export interface Load {
  /** Counts of the requests that were due in a range of time; without one, of all. */
  snapshot(range?: TimeRange): Promise<LoadCounts>;
  /** Requests without an answer or with one of 400 and above. */
  failures(range?: TimeRange): Promise<LoadRecord[]>;
  records(range?: TimeRange): Promise<LoadRecord[]>;
  /** Waits for the answers still out and removes the result file; asked again, it gives the same counts. */
  stop(): Promise<LoadCounts>;
}

/** Open-loop load from a process of its own, which ends with this one. */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const resultFile = join(tmpdir(), `headgate-load-${randomUUID()}.tsv`);
  await writeFile(resultFile, '');
  const plan: LoadPlan = {
    ...{ requestsPerSecond: options.requestsPerSecond, targets: options.targets, host: options.host },
    ...{
      path: options.path,
      method: options.bodies === undefined ? 'GET' : 'POST',
      bodies: options.bodies ?? [],
    },
    ...{ headers: options.headers ?? {}, timeoutMs: options.timeoutMs ?? 10_000 },
    ...{ connections: options.connections ?? 64, grpcModel: options.grpcModel, resultFile },
  };
  const { node } = await toolchain();
  const worker = join(import.meta.dirname, 'load-worker.ts');
  const [program, ...args] = [...(options.enter ?? []), node, worker, JSON.stringify(plan)];
  const child = spawn(program, args, { stdio: ['pipe', 'inherit', 'inherit'] });
  const load = new RunningLoad(child, resultFile);
  await waitFor('the load has its first answer', async () => {
    if (child.exitCode !== null) throw new Error(`the load worker ended with ${child.exitCode}`);
    return (await load.records()).length > 0;
  });
  return load;
}

class RunningLoad implements Load {
  private readonly child: ChildProcess;
  private readonly resultFile: string;
  private stopped: Promise<LoadCounts> | undefined;

  constructor(child: ChildProcess, resultFile: string) {
    this.child = child;
    this.resultFile = resultFile;
  }

  async snapshot(range: TimeRange = {}): Promise<LoadCounts> {
    return countRecords(await this.records(range));
  }

  async failures(range: TimeRange = {}): Promise<LoadRecord[]> {
    return (await this.records(range)).filter(isFailure);
  }

  async records(range: TimeRange = {}): Promise<LoadRecord[]> {
    const text = await readFile(this.resultFile, 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    const { fromMs = 0, toMs = Number.POSITIVE_INFINITY } = range;
    return whole
      .split('\n')
      .filter((line) => line !== '')
      .map(parseRecord)
      .filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  }

  async stop(): Promise<LoadCounts> {
    this.stopped ??= this.end();
    return await this.stopped;
  }

  private async end(): Promise<LoadCounts> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const ended = once(this.child, 'exit');
      this.child.stdin?.end();
      await ended;
    }
    const counts = await this.snapshot();
    await rm(this.resultFile, { force: true });
    return counts;
  }
}

export function isFailure(record: LoadRecord): boolean {
  return record.status === 0 || record.status >= 400;
}

export function countRecords(records: readonly LoadRecord[]): LoadCounts {
  const latencies = records.map(({ latencyMs }) => latencyMs).sort((one, other) => one - other);
  const quantile = (share: number): number => latencies[Math.ceil(latencies.length * share) - 1] ?? 0;
  const answered = records.filter(({ status }) => status !== 0);
  return {
    requests: records.length,
    failed: records.filter(isFailure).length,
    byStatus: countBy(records, ({ status }) => String(status)),
    byRevision: countBy(answered, ({ revision }) => revision),
    latencyP50Ms: quantile(0.5),
    latencyP95Ms: quantile(0.95),
    latencyMaxMs: quantile(1),
  };
}

function countBy(
  records: readonly LoadRecord[],
  key: (record: LoadRecord) => string,
): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const record of records) counts[key(record)] = (counts[key(record)] ?? 0) + 1;
  return counts;
}

/** True when a count is what a share of all would give, within `deviations` standard deviations of a binomial draw. */
export function isWithinBinomial(draw: {
  count: number;
  total: number;
  share: number;
  deviations?: number;
}): boolean {
  const expected = draw.total * draw.share;
  const deviation = Math.sqrt(draw.total * draw.share * (1 - draw.share));
  return Math.abs(draw.count - expected) <= (draw.deviations ?? 4) * deviation;
}
