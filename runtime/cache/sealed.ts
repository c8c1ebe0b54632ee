import { createHash, timingSafeEqual } from 'node:crypto';
import { decodeTensors, encodeTensors } from '../executor/messages.ts';
import type { Tensor } from '../tensor/datatype.ts';

const DIGEST_BYTES = 32;

function digestOf(key: string, payload: Buffer): Buffer {
  return createHash('sha256').update(key).update(payload).digest();
}

/** Tensors as bytes behind a digest of them and of their key. */
export function seal(key: string, outputs: readonly Tensor[]): Buffer {
  const payload = encodeTensors(outputs);
  return Buffer.concat([digestOf(key, payload), payload]);
}

/** Undefined for whatever is not exactly what was sealed under this key: cut off, damaged, or of somebody else. */
export function unseal(key: string, sealed: Buffer): readonly Tensor[] | undefined {
  if (sealed.length < DIGEST_BYTES) return undefined;
  const payload = sealed.subarray(DIGEST_BYTES);
  if (!timingSafeEqual(digestOf(key, payload), sealed.subarray(0, DIGEST_BYTES))) return undefined;
  return decodeTensors(payload);
}
