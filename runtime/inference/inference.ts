import type { Prediction } from '../output/readable.ts';
import type { Tensor } from '../tensor/datatype.ts';

/** What the protocol allows as the value of a parameter; a whole number beyond 2^53 is a bigint. */
export type ParameterValue = boolean | number | bigint | string;
export type Parameters = ReadonlyMap<string, ParameterValue>;

export const noParameters: Parameters = new Map();

export interface RequestedOutput {
  readonly name: string;
  readonly parameters: Parameters;
}

/** One request for an answer of the model, whichever protocol it came by. */
export interface InferRequest {
  /** Echoed in the answer when the client gave one. */
  readonly id: string | undefined;
  readonly parameters: Parameters;
  readonly inputs: readonly Tensor[];
  /** Undefined: all outputs of the model. */
  readonly outputs: readonly RequestedOutput[] | undefined;
}

/** What the protocol's clients call the batch size: the first dimension, and 1 for a scalar. */
export function countRows({ inputs }: InferRequest): number {
  return inputs[0]?.shape[0] ?? 1;
}

export interface InferAnswer {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string | undefined;
  readonly outputs: readonly Tensor[];
  /** For people, a row each, where the request asked for them. */
  readonly predictions?: readonly Prediction[] | undefined;
}
