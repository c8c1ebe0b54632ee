import type { BatchProfile } from '../batching/batcher.ts';
import {
  explainNoBatches,
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

/** Less is the noise of one run. */
const NOTICEABLE_MS = 1;

function asItIs(model: RunnableModel, batchProfile: BatchProfile): PreparedModel {
  return { model, batchProfile, prepareFor: undefined };
}

/** Whether a run after one with another number of rows costs more than twice its own time. */
async function isChangeDear(model: RunnableModel): Promise<boolean> {
  const [one, two] = [zerosOf(model, 1), zerosOf(model, 2)];
  await model.run(one);
  const settledMs = await timeRun(model, one);
  await model.run(two);
  return (await timeRun(model, one)) > 2 * settledMs + NOTICEABLE_MS;
}

async function prepareSizes(
  model: RunnableModel,
  measuring: Measuring,
  openAnother: () => Promise<RunnableModel>,
): Promise<PreparedModel> {
  const models = new Map<number, RunnableModel>();
  try {
    for (const size of sizesUpTo(measuring.maxRows))
      models.set(size, models.size === 0 ? model : await openAnother());
    const sized = new SizedModel(models);
    const costs = await measureCosts(sized, measuring);
    const batchProfile = { refusal: undefined, costs };
    return { model: sized, batchProfile, prepareFor: (work) => sized.prepareFor(work) };
  } catch (error) {
    const refusal = `the device cannot hold it once more for each size of batch: ${(error as Error).message}`;
    return asItIs(model, { refusal, costs: await measureCosts(model, { ...measuring, maxRows: 1 }) });
  }
}

/**
 * A warm model as its executor runs it. On a GPU ONNX Runtime plans each convolution anew whenever the sizes of its
 * tensors change, 10 ms for one and 300 to 1,000 ms for a classifier of images, and remembers no plan
 * (https://github.com/microsoft/onnxruntime/issues/23006). Where that is so, each size of batch has a session of its own.
 */
export async function prepareModel(
  model: RunnableModel,
  measuring: Measuring,
  openAnother: () => Promise<RunnableModel>,
): Promise<PreparedModel> {
  const { maxRows, isOnDevice } = measuring;
  const mayNeedSizes = isOnDevice && maxRows > 1 && (await explainNoBatches(model, true)) === undefined;
  if (mayNeedSizes && (await isChangeDear(model))) return prepareSizes(model, measuring, openAnother);
  return asItIs(model, await profileBatching(model, measuring));
}
