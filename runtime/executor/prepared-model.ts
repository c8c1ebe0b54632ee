import type { BatchProfile } from '../batching/batcher.ts';
import type { CostPoint } from '../batching/cost-curve.ts';
import {
  measureCosts,
  profileBatching,
  timeRun,
  zerosOf,
  type Measuring,
  type RunnableModel,
} from './batch-profile.ts';
import { SizedModel, sizesUpTo } from './sized-model.ts';

export interface PreparedModel {
  readonly model: RunnableModel;
  readonly batchProfile: BatchProfile;
  /** To be called before a run whose time counts, where there is something to prepare. */
  readonly prepareFor: SizedModel['prepareFor'] | undefined;
}

const TRIES = 2;
/** Less is the noise of one run. */
const NOTICEABLE_MS = 1;

function asItIs(model: RunnableModel, batchProfile: BatchProfile): PreparedModel {
  return { model, batchProfile, prepareFor: undefined };
}

/** What a run costs beside its own time when the one before had another number of rows. */
async function measureChangeMs(model: RunnableModel, smallest: CostPoint, largest: CostPoint): Promise<number> {
  let ms = Infinity;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    await model.run(zerosOf(model, largest.rows));
    ms = Math.min(ms, await timeRun(model, zerosOf(model, smallest.rows)));
  }
  return ms - smallest.ms;
}

async function isChangeDear(model: RunnableModel, costs: readonly CostPoint[]): Promise<boolean> {
  const [smallest, ...others] = costs;
  const largest = others.at(-1);
  if (smallest === undefined || largest === undefined) return false;
  return (await measureChangeMs(model, smallest, largest)) > NOTICEABLE_MS + smallest.ms;
}

/**
 * A warm model as its executor runs it. On a GPU ONNX Runtime plans each convolution anew whenever the sizes of its
 * tensors change, 10 ms for one and 400 ms for a classifier of images, and remembers no plan
 * (https://github.com/microsoft/onnxruntime/issues/23006). Where that is so, each size of batch has a session of its own.
 */
export async function prepareModel(
  model: RunnableModel,
  measuring: Measuring,
  openAnother: () => Promise<RunnableModel>,
): Promise<PreparedModel> {
  const batchProfile = await profileBatching(model, measuring);
  const { refusal, costs } = batchProfile;
  if (!measuring.isOnDevice || refusal !== undefined || !(await isChangeDear(model, costs)))
    return asItIs(model, batchProfile);
  const models = new Map<number, RunnableModel>();
  for (const size of sizesUpTo(costs.at(-1)?.rows ?? 1)) {
    try {
      models.set(size, models.size === 0 ? model : await openAnother());
    } catch (error) {
      const reason = `there is no room on the device for a session for batches of ${size}: ${(error as Error).message}`;
      return asItIs(model, { refusal: reason, costs: costs.slice(0, 1) });
    }
  }
  const sized = new SizedModel(models);
  return {
    model: sized,
    batchProfile: { refusal: undefined, costs: await measureCosts(sized, measuring) },
    prepareFor: (work) => sized.prepareFor(work),
  };
}
