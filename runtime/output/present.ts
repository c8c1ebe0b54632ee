import { RequestError } from '../errors.ts';
import type { InferRequest, ParameterValue, RequestedOutput } from '../inference/inference.ts';
import { classify } from '../tensor/classification.ts';
import type { Tensor } from '../tensor/datatype.ts';
import { readPredictions, type Prediction } from './readable.ts';
import type { OutputSettings } from './settings.ts';

/** The parameter of a request that wants predictions for people besides its tensors. */
export const READABLE_PARAMETER = 'readable';
const CLASSIFICATION_PARAMETER = 'classification';

export interface Presented {
  readonly outputs: readonly Tensor[];
  readonly predictions: readonly Prediction[] | undefined;
}

function toCount(name: string, value: ParameterValue): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw new RequestError(
    'MalformedRequest',
    `parameter '${CLASSIFICATION_PARAMETER}' of output '${name}' is '${String(value).slice(0, 40)}': expected how many classes`,
  );
}

/** Classes instead of each tensor for which the request asks so many of them. */
function classifyRequested(
  requested: readonly RequestedOutput[],
  outputs: readonly Tensor[],
  { labels }: OutputSettings,
): readonly Tensor[] {
  const counts = new Map(
    requested.flatMap(({ name, parameters }) => {
      const value = parameters.get(CLASSIFICATION_PARAMETER);
      return value === undefined ? [] : [[name, toCount(name, value)] as const];
    }),
  );
  if (counts.size === 0) return outputs;
  return outputs.map((output) => {
    const count = counts.get(output.name) ?? 0;
    return count === 0 ? output : classify(output, count, labels);
  });
}

/** What the client gets of what the model gave: classes instead of tensors, and predictions, where it asks for them. */
export function present(
  { parameters, outputs: requested }: Pick<InferRequest, 'parameters' | 'outputs'>,
  outputs: readonly Tensor[],
  settings: OutputSettings,
): Presented {
  const isReadable = parameters.get(READABLE_PARAMETER) === true;
  return {
    outputs: requested === undefined ? outputs : classifyRequested(requested, outputs, settings),
    predictions: isReadable ? readPredictions(outputs, settings) : undefined,
  };
}
