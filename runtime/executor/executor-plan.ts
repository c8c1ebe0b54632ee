/** How many processes run the model, and with how many threads of ONNX Runtime each. */
export interface ExecutorPlan {
  readonly executors: number;
  readonly threads: number;
}

/** Undefined: as many as suit the container. */
export interface ExecutorWish {
  readonly executors: number | undefined;
  readonly threads: number | undefined;
}

export interface Container {
  /** That it may use whole. */
  readonly wholeCpus: number;
  /** Its limit; undefined when there is none. */
  readonly memoryBytes: number | undefined;
  /** Of the model's file. */
  readonly modelBytes: number;
  /** The model is to run on a GPU first of all. */
  readonly isOnDevice: boolean;
}

const MEBIBYTE = 2 ** 20;
/** Unless more are wished for. */
export const MOST_EXECUTORS = 4;
/** Of a process before it loads a model. */
const PROCESS_BYTES = 100 * MEBIBYTE;
/** Of the file: weights are unpacked and kept beside what a run needs. */
const MODEL_FACTOR = 2.5;
/** Of the container's memory; the rest is for requests and the serving process. */
const MEMORY_SHARE = 0.3;

function countFitting({ memoryBytes, modelBytes, isOnDevice }: Container): number {
  if (isOnDevice) return 1;
  if (memoryBytes === undefined) return MOST_EXECUTORS;
  return Math.floor((memoryBytes * MEMORY_SHARE) / (PROCESS_BYTES + MODEL_FACTOR * modelBytes));
}

/**
 * One executor for each CPU, with one thread: two processes lose nothing to each other, two threads wait for each other
 * at every operator. Fewer, with more threads, where memory does not allow it, or beyond four. One on a GPU, of whose
 * memory each process takes half a gigabyte beside its copy of the weights: batches keep it busy, not processes.
 */
export function planExecutors(container: Container, wish: ExecutorWish): ExecutorPlan {
  const { wholeCpus } = container;
  const suitable = Math.min(
    Math.floor(wholeCpus / (wish.threads ?? 1)),
    countFitting(container),
    MOST_EXECUTORS,
  );
  const executors = wish.executors ?? Math.max(1, suitable);
  return { executors, threads: wish.threads ?? Math.max(1, Math.floor(wholeCpus / executors)) };
}
