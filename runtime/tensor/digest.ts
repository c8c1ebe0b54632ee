import { createHash } from 'node:crypto';
import type { Tensor } from './datatype.ts';

const LENGTH_BYTES = 4;

function lengthOf(bytes: number): Buffer {
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeUInt32LE(bytes);
  return length;
}

/** Each behind its length, so that no two lists of texts look alike. */
function joinTexts(texts: readonly string[]): Buffer {
  return Buffer.concat(
    texts.flatMap((text) => {
      const bytes = Buffer.from(text);
      return [lengthOf(bytes.length), bytes];
    }),
  );
}

/**
 * The SHA-256 of tensors, in hexadecimal: equal for equal names, datatypes, shapes and values, bit by bit, whatever form
 * they came in. `context` is whatever else makes a difference.
 */
export function digestTensors(tensors: readonly Tensor[], context: readonly string[] = []): string {
  const hash = createHash('sha256').update(joinTexts(context));
  for (const { name, datatype, shape, data } of tensors) {
    hash.update(joinTexts([name, datatype, shape.join()]));
    const bytes = Array.isArray(data)
      ? joinTexts(data)
      : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    hash.update(lengthOf(bytes.length)).update(bytes);
  }
  return hash.digest('hex');
}
