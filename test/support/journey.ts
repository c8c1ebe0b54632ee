import type { InferAnswer, InferRequest } from '../../runtime/inference/inference.ts';
import type { Journey, Outcome } from '../../runtime/inference/journey.ts';
import { readPrediction } from '../../runtime/inference/prediction.ts';
import type { Tensor } from '../../runtime/tensor/datatype.ts';

/** A user's request that was answered in 10 ms, of which 1, 2, 4 and 1 went into its stages, unless told otherwise. */
export function journeyOf(
  given: Partial<Journey> = {},
  headers: Readonly<Record<string, string>> = {},
): Journey {
  return {
    requestId: 'request-1',
    protocol: 'rest',
    origin: 'User',
    isLaterInStream: false,
    deadlineAtMs: undefined,
    arrivedAtMs: 0,
    header: (name) => headers[name],
    parseMs: 1,
    queueMs: 2,
    batchMs: undefined,
    computeMs: 4,
    serialiseMs: 1,
    batchRows: undefined,
    cache: undefined,
    ...given,
  };
}

/** A request that was refused before it came anywhere. */
export const refusedAtOnce = {
  parseMs: undefined,
  queueMs: undefined,
  batchMs: undefined,
  computeMs: undefined,
  serialiseMs: undefined,
} satisfies Partial<Journey>;

export function floats(
  name: string,
  values: readonly number[],
  shape: readonly number[] = [1, values.length],
): Tensor {
  return { name, datatype: 'FP32', shape, data: Float32Array.from(values) };
}

export function integers(
  name: string,
  values: readonly number[],
  shape: readonly number[] = [values.length],
): Tensor {
  return { name, datatype: 'INT64', shape, data: BigInt64Array.from(values, BigInt) };
}

export function requestOf(inputs: readonly Tensor[] = [floats('X', [1, 2, 3])]): InferRequest {
  return { id: undefined, parameters: new Map(), inputs, outputs: undefined };
}

export function answerOf(outputs: readonly Tensor[]): InferAnswer {
  return { modelName: 'tumour', modelVersion: '1', id: undefined, outputs };
}

export function answered(
  outputs: readonly Tensor[] = [integers('label', [1]), floats('probabilities', [0.25, 0.75])],
  inputs?: readonly Tensor[],
): Outcome & { kind: 'Answered' } {
  return {
    kind: 'Answered',
    request: requestOf(inputs),
    answer: answerOf(outputs),
    prediction: readPrediction(outputs),
  };
}

export function refused(
  reason: (Outcome & { kind: 'Refused' })['reason'],
  httpStatus: number,
  request?: InferRequest,
): Outcome {
  return { kind: 'Refused', reason, httpStatus, message: `refused: ${reason}`, request };
}
