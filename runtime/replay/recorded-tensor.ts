import { parseInferRequest } from '../tensor/infer-request.ts';
import type { Tensor } from '../tensor/datatype.ts';
import { readRaw } from '../tensor/raw.ts';

/** The other way of runtime/records/tensor-text.ts. Throws for a tensor that is not whole: redacted or cut. */
export function readTensorText(text: string): Tensor {
  const { raw, ...head } = JSON.parse(text) as Omit<Tensor, 'data'> & { readonly raw?: string };
  if (raw !== undefined) return { ...head, data: readRaw(head, Buffer.from(raw, 'base64')) };
  const [tensor] = parseInferRequest(Buffer.from(`{"inputs":[${text}]}`)).inputs;
  if (tensor === undefined) throw new Error('a recorded tensor that the protocol does not know');
  return tensor;
}
