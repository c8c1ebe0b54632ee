import { writeHead, writeValues } from '../tensor/infer-response.ts';
import { writeRaw } from '../tensor/raw.ts';
import { countElements, type Tensor } from '../tensor/datatype.ts';

/** Above this, numbers as text would cost more than the request did. */
const MOST_AS_NUMBERS = 1024;

function hasOnlyFinite({ datatype, data }: Tensor): boolean {
  if (datatype !== 'FP32' && datatype !== 'FP64') return true;
  return (data as Float32Array | Float64Array).every(Number.isFinite);
}

/**
 * A tensor as JSON, exact and readable back: `data` as in the protocol, or `raw`, the bytes of the protocol's binary
 * tensors in base64, where it is long, FP16, or holds what JSON cannot say.
 */
export function tensorText(tensor: Tensor): string {
  const isReadable = tensor.data.length <= MOST_AS_NUMBERS && tensor.datatype !== 'FP16';
  if (isReadable && hasOnlyFinite(tensor))
    return `{${writeHead(tensor)},"data":[${writeValues(tensor.datatype, tensor.data)}]}`;
  return `{${writeHead(tensor)},"raw":"${writeRaw(tensor).toString('base64')}"}`;
}

/** As tensorText, with no more than so many elements; `truncated` says that there were more. */
export function boundedTensorText(tensor: Tensor, mostElements: number): string {
  if (countElements(tensor.shape) <= mostElements) return tensorText(tensor);
  const text = tensorText({ ...tensor, data: tensor.data.slice(0, mostElements) });
  return `${text.slice(0, -1)},"truncated":true}`;
}

/** That a tensor was there, and nothing of what it held. */
export function redactedTensorText(tensor: Tensor): string {
  return `{${writeHead(tensor)},"redacted":true}`;
}
