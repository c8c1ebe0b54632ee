import { RequestError } from '../errors.ts';
import type { Tensor, TensorData } from './datatype.ts';

/**
 * The classification extension: an output as its highest values with their places and names, instead of all of it.
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_classification.md
 */

type Numbers = Exclude<TensorData, string[]>;

/** Places of the `count` highest of `size` values from `start` on, highest first; of equal values the first. NaN is lowest. */
export function topPlaces(data: Numbers, row: { start: number; size: number }, count: number): number[] {
  const valueAt = (place: number): number => {
    const value = Number(data[row.start + place]);
    return Number.isNaN(value) ? -Infinity : value;
  };
  const places = Array.from({ length: row.size }, (_, place) => place);
  return places.sort((left, right) => valueAt(right) - valueAt(left) || left - right).slice(0, count);
}

/** `[…, classes]` becomes BYTES `[…, count]` of `value:place` or `value:place:label`. Throws RequestError. */
export function classify(tensor: Tensor, count: number, labels: readonly string[] = []): Tensor {
  const { name, datatype, shape, data } = tensor;
  const size = shape.at(-1);
  if (size === undefined || Array.isArray(data) || datatype === 'FP16' || datatype === 'BOOL') {
    throw new RequestError(
      'InvalidTensor',
      `output '${name}': expected numbers in at least one dimension to classify, got ${datatype}[${shape.join(',')}]`,
    );
  }
  const kept = Math.min(count, size);
  const texts: string[] = [];
  for (let start = 0; start < data.length; start += size) {
    for (const place of topPlaces(data, { start, size }, kept)) {
      const label = labels[place];
      texts.push(`${String(data[start + place])}:${place}${label === undefined ? '' : `:${label}`}`);
    }
  }
  return { name, datatype: 'BYTES', shape: [...shape.slice(0, -1), kept], data: texts };
}
