import type { BatchObserver } from '../batching/release.ts';
import type { Journey, JourneyObserver, Outcome } from './journey.ts';

const NANOSECONDS_PER_MILLISECOND = 1e6;

/** How often something happened, and how long all of it took together. */
interface Duration {
  readonly count: number;
  readonly ns: number;
}

/** In the form of Triton's statistics extension, which load tools read before and after a run. */
export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  /** Milliseconds since 1970; 0 before the first request. */
  readonly last_inference: number;
  /** Rows, so that a request with a batch of its own counts as many. */
  readonly inference_count: number;
  /** Runs of the model; fewer than the rows where requests were batched. */
  readonly execution_count: number;
  readonly inference_stats: Readonly<Record<StatisticName, Duration>>;
  readonly batch_stats: readonly {
    readonly batch_size: number;
    readonly compute_input: Duration;
    readonly compute_infer: Duration;
    readonly compute_output: Duration;
  }[];
}

const statisticNames = [
  'success',
  'fail',
  'queue',
  'compute_input',
  'compute_infer',
  'compute_output',
  'cache_hit',
  'cache_miss',
] as const;
type StatisticName = (typeof statisticNames)[number];

class Accumulator {
  #count = 0;
  #milliseconds = 0;

  add(milliseconds: number): void {
    this.#count++;
    this.#milliseconds += milliseconds;
  }

  read(): Duration {
    return { count: this.#count, ns: Math.round(this.#milliseconds * NANOSECONDS_PER_MILLISECOND) };
  }
}

function accumulators(): Record<StatisticName, Accumulator> {
  return Object.fromEntries(statisticNames.map((name) => [name, new Accumulator()])) as Record<
    StatisticName,
    Accumulator
  >;
}

/** Rows of a request: the size of the first dimension of its first input, which is the batch of most models. */
function rowsOf(outcome: Extract<Outcome, { kind: 'Answered' }>): number {
  return outcome.request.inputs[0]?.shape[0] ?? 1;
}

/**
 * What this server has done since it started: https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md
 * `compute_input` is the reading of the request and `compute_output` the writing of its answer.
 */
export class Statistics implements JourneyObserver, BatchObserver {
  readonly #all = accumulators();
  readonly #batches = new Map<number, Pick<ReturnType<typeof accumulators>, ComputeName>>();
  #lastInferenceMs = 0;
  #inferences = 0;
  #executions = 0;

  onEnd(journey: Journey, outcome: Outcome, endedAtMs: number): void {
    if (outcome.kind === 'HungUp') return;
    const totalMs = endedAtMs - journey.arrivedAtMs;
    this.#lastInferenceMs = performance.timeOrigin + endedAtMs;
    if (outcome.kind === 'Refused') {
      this.#all.fail.add(totalMs);
      return;
    }
    this.#inferences += rowsOf(outcome);
    this.#all.success.add(totalMs);
    if (journey.queueMs !== undefined) this.#all.queue.add(journey.queueMs + (journey.batchMs ?? 0));
    if (journey.cache === 'Hit') this.#all.cache_hit.add(totalMs);
    if (journey.cache === 'Miss') this.#all.cache_miss.add(totalMs);
    if (journey.computeMs !== undefined) this.#addCompute(journey, journey.computeMs);
  }

  /** One run of the model, whatever it answers. */
  onRelease(): void {
    this.#executions++;
  }

  read(name: string, version: string): ModelStatistics {
    const entries = statisticNames.map((statistic) => [statistic, this.#all[statistic].read()]);
    return {
      name,
      version,
      last_inference: Math.round(this.#lastInferenceMs),
      inference_count: this.#inferences,
      execution_count: this.#executions,
      inference_stats: Object.fromEntries(entries) as ModelStatistics['inference_stats'],
      batch_stats: [...this.#batches]
        .sort(([left], [right]) => left - right)
        .map(([batchSize, batch]) => ({
          batch_size: batchSize,
          compute_input: batch.compute_input.read(),
          compute_infer: batch.compute_infer.read(),
          compute_output: batch.compute_output.read(),
        })),
    };
  }

  #addCompute({ parseMs = 0, serialiseMs = 0, batchRows = 1 }: Journey, computeMs: number): void {
    let batch = this.#batches.get(batchRows);
    if (batch === undefined) {
      batch = accumulators();
      this.#batches.set(batchRows, batch);
    }
    for (const { compute_input, compute_infer, compute_output } of [this.#all, batch]) {
      compute_input.add(parseMs);
      compute_infer.add(computeMs);
      compute_output.add(serialiseMs);
    }
  }
}

type ComputeName = 'compute_input' | 'compute_infer' | 'compute_output';
