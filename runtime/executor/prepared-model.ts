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

/** The model once more. */
export interface Session extends RunnableModel {
  release(): Promise<void>;
}

export type OpenAnother = () => Promise<Session>;

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

/** Each has run its size once, as far as the device has room; of the first one that has none the error is told. */
async function openSizes(
  model: RunnableModel,
  maxRows: number,
  openAnother: OpenAnother,
): Promise<{ readonly models: ReadonlyMap<number, RunnableModel>; readonly failure: string }> {
  const [smallest = 1, ...larger] = sizesUpTo(maxRows);
  const models = new Map([[smallest, model]]);
  for (const size of larger) {
    let session: Session | undefined;
    try {
      session = await openAnother();
      await session.run(zerosOf(session, size));
      models.set(size, session);
    } catch (error) {
      await session?.release();
      return { models, failure: (error as Error).message };
    }
  }
  return { models, failure: '' };
}

async function prepareSizes(
  model: RunnableModel,
  measuring: Measuring,
  openAnother: OpenAnother,
): Promise<PreparedModel> {
  const { models, failure } = await openSizes(model, measuring.maxRows, openAnother);
  if (models.size === 1) {
    const refusal = `the device cannot hold it once more for another size of batch: ${failure}`;
    return asItIs(model, { refusal, costs: await measureCosts(model, { ...measuring, maxRows: 1 }) });
  }
  const sized = new SizedModel(models);
  const batchProfile = { refusal: undefined, costs: await measureCosts(sized, measuring) };
  return { model: sized, batchProfile, prepareFor: (work) => sized.prepareFor(work) };
}

/**
 * A warm model as its executor runs it. On a GPU ONNX Runtime plans each convolution anew whenever the sizes of its
 * tensors change, 10 ms for one and 300 to 1,000 ms for a classifier of images, and remembers no plan
 * (https://github.com/microsoft/onnxruntime/issues/23006). Where that is so, each size of batch has a session of its own.
 */
export async function prepareModel(
  model: RunnableModel,
  measuring: Measuring,
  openAnother: OpenAnother,
): Promise<PreparedModel> {
  const { maxRows, isOnDevice } = measuring;
  const mayNeedSizes = isOnDevice && maxRows > 1 && (await explainNoBatches(model, true)) === undefined;
  if (mayNeedSizes && (await isChangeDear(model))) return prepareSizes(model, measuring, openAnother);
  return asItIs(model, await profileBatching(model, measuring));
}
