import type { BatchProfile } from '../batching/batcher.ts';
import { explainNoBatchAxis } from '../batching/bucket.ts';
import type { CostPoint } from '../batching/cost-curve.ts';
import { mergeWorks, splitOutputs } from '../batching/merge.ts';
import type { ModelSignature, Tensor } from '../tensor/datatype.ts';
import type { InferWork } from '../tensor/validate.ts';
import { isSameAnswer } from './same-answer.ts';
import { sampleWork } from './sample.ts';

export interface RunnableModel {
  readonly signature: ModelSignature;
  run(work: InferWork): Promise<Tensor[]>;
}

export interface Measuring {
  /** The largest batch that will be asked for. */
  readonly maxRows: number;
  /** For all costs together. */
  readonly measuringMs: number;
  /** Not the CPU: the first run of a size prepares for it, which counts neither as its cost nor against the time. */
  readonly isOnDevice: boolean;
}

const MOST_RUNS = 5;

/** Undefined: the model fails on ones, which are not always a value that it knows. */
async function answerOnes(model: RunnableModel): Promise<InferWork | undefined> {
  const ones = sampleWork(model.signature, 1);
  try {
    await model.run(ones);
    return ones;
  } catch {
    return undefined;
  }
}

/**
 * Batches are for models whose rows do not see each other. One that normalises over the batch, or quantises with the
 * largest value in it, has the same signature, and would answer differently by who else asks.
 */
async function explainMixedRows(model: RunnableModel, isOnDevice: boolean): Promise<string | undefined> {
  const zeros = sampleWork(model.signature, 0);
  const other = (await answerOnes(model)) ?? zeros;
  const expected = [await model.run(zeros), await model.run(other), await model.run(zeros)];
  try {
    const together = await model.run(mergeWorks([zeros, other, zeros]));
    const parts = splitOutputs(together, [1, 1, 1]);
    if (parts.every((part, index) => isSameAnswer(expected[index] ?? [], part, isOnDevice))) return undefined;
    return 'its answer to a row depends on the other rows';
  } catch (error) {
    return `it fails on several rows at once: ${(error as Error).message}`;
  }
}

/** A run for so many rows of zeros. */
export function zerosOf({ signature }: RunnableModel, rows: number): InferWork {
  return mergeWorks(Array.from({ length: rows }, () => sampleWork(signature, 0)));
}

/** Milliseconds. */
export async function timeRun(model: RunnableModel, work: InferWork): Promise<number> {
  const startedAtMs = performance.now();
  await model.run(work);
  return performance.now() - startedAtMs;
}

async function measureRun(model: RunnableModel, work: InferWork, untilMs: number): Promise<number> {
  let ms = Infinity;
  for (let run = 0; run < MOST_RUNS && (run === 0 || performance.now() < untilMs); run++) {
    // Whatever else the machine does only ever makes a run longer.
    ms = Math.min(ms, await timeRun(model, work));
  }
  return ms;
}

/** The cost of one row, two, four and so on, as far as the time allows. */
export async function measureCosts(
  model: RunnableModel,
  { maxRows, measuringMs, isOnDevice }: Measuring,
): Promise<CostPoint[]> {
  let untilMs = performance.now() + measuringMs;
  const points: CostPoint[] = [];
  for (let rows = 1; ; rows = Math.min(rows * 2, maxRows)) {
    const work = zerosOf(model, rows);
    if (isOnDevice) untilMs += await timeRun(model, work);
    const ms = await measureRun(model, work, untilMs);
    points.push({ rows, ms });
    if (rows === maxRows || performance.now() + 2 * ms > untilMs) return points;
  }
}

/** Why requests of a model cannot share a run; undefined when they can. Pre: the model is warm. */
export async function explainNoBatches(
  model: RunnableModel,
  isOnDevice: boolean,
): Promise<string | undefined> {
  return explainNoBatchAxis(model.signature) ?? (await explainMixedRows(model, isOnDevice));
}

/** Pre: the model is warm. */
export async function profileBatching(model: RunnableModel, measuring: Measuring): Promise<BatchProfile> {
  const refusal = await explainNoBatches(model, measuring.isOnDevice);
  if (refusal !== undefined)
    return { refusal, costs: await measureCosts(model, { ...measuring, maxRows: 1 }) };
  return { refusal, costs: await measureCosts(model, measuring) };
}
