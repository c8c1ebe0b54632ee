/** How many processes run the model, and with how many threads of ONNX Runtime each. */
export interface ExecutorPlan {
  readonly executors: number;
  readonly threads: number;
}

/** Undefined: as many as suit the CPUs. */
export interface ExecutorWish {
  readonly executors: number | undefined;
  readonly threads: number | undefined;
}

/** One process with a thread for each CPU, unless more are wished for: they then share the CPUs. */
export function planExecutors(wholeCpus: number, wish: ExecutorWish): ExecutorPlan {
  const executors = wish.executors ?? 1;
  const threads = wish.threads ?? Math.max(1, Math.floor(wholeCpus / executors));
  return { executors, threads };
}
