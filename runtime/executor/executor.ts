import type { BatchProfile } from '../batching/batcher.ts';
import type { ModelSignature, Tensor } from '../tensor/datatype.ts';
import type { InferWork } from '../tensor/validate.ts';

/**
 * starting → ready ⇄ restarting → …
 *
 * restarting: the process was lost and comes back at once, so requests are worth keeping. down: it keeps getting lost
 * and the next try is some time away. closed: the server is ending.
 */
export type ExecutorState = 'starting' | 'ready' | 'restarting' | 'down' | 'closed';

/** What one run gave, and how long the model took for it as its own process measured it. */
export interface RunResult {
  readonly outputs: readonly Tensor[];
  readonly computeMs: number;
}

/** Where a model runs. It never runs in the serving process: one ONNX Runtime call would freeze every probe. */
export interface Executor {
  readonly state: ExecutorState;
  /** Undefined until the model has been loaded once. */
  readonly signature: ModelSignature | undefined;
  readonly batchProfile: BatchProfile | undefined;
  /**
   * One run for several requests, row under row. Pre: state is ready; they are of one bucket, and there is at least one.
   * Rejects with one of the errors below.
   */
  run(works: readonly InferWork[]): Promise<RunResult>;
  onStateChange(listener: (state: ExecutorState) => void): void;
}

/** The model answered with an error; the message is for the log, never for the client. */
export class ModelRunError extends Error {}

/** ONNX Runtime refused the inputs before the model ran: the client's fault. */
export class InvalidInputError extends Error {}

/** The executor's process ended under the request. */
export class ExecutorLostError extends Error {}
