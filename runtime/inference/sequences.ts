import { RequestError } from '../errors.ts';
import type { Parameters } from './inference.ts';

const sequenceParameters = ['sequence_id', 'sequence_start', 'sequence_end'] as const;
/** What says that a request belongs to no sequence, as Triton's clients write it. */
const nothing: ReadonlySet<unknown> = new Set([0, 0n, '', false]);

/**
 * A client that sends a sequence counts on what came before it. Answering each request of it alone would be wrong without
 * a word. https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_sequence.md
 */
export function refuseSequence(parameters: Parameters): void {
  const name = sequenceParameters.find((parameter) => !nothing.has(parameters.get(parameter) ?? 0));
  if (name === undefined) return;
  throw new RequestError(
    'NotOffered',
    `parameter '${name}': this server keeps no state from one request to the next; send the state as a tensor of the model, and leave the parameter out`,
  );
}
