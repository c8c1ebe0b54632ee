import { isUtf8 } from 'node:buffer';
import { RequestError } from '../errors.ts';
import {
  countElements,
  numericConstructor,
  type NumericArray,
  type Tensor,
  type TensorData,
} from './datatype.ts';

/**
 * Tensors as bytes, as the binary tensor data extension and raw gRPC contents have them: row-major, little-endian, BOOL
 * as one byte, BYTES as a length of four bytes before each element.
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */

const LENGTH_BYTES = 4;

type Head = Omit<Tensor, 'data'>;

function fail({ name }: Head, problem: string): never {
  throw new RequestError('InvalidTensor', `tensor '${name}': ${problem}`);
}

function readText(head: Head, bytes: Buffer, index: number): string {
  if (!isUtf8(bytes)) fail(head, `element ${index} of datatype BYTES: expected UTF-8`);
  // ONNX Runtime takes strings as C strings: everything behind a NUL would be lost without a word.
  if (bytes.includes(0)) fail(head, `element ${index} of datatype BYTES: expected no NUL byte`);
  return bytes.toString('utf8');
}

function readTexts(head: Head, bytes: Buffer): string[] {
  const elementCount = countElements(head.shape);
  const texts: string[] = [];
  let position = 0;
  while (position < bytes.length && texts.length < elementCount) {
    if (bytes.length - position < LENGTH_BYTES) break;
    const start = position + LENGTH_BYTES;
    const end = start + bytes.readUInt32LE(position);
    if (end > bytes.length) break;
    texts.push(readText(head, bytes.subarray(start, end), texts.length));
    position = end;
  }
  if (texts.length === elementCount && position === bytes.length) return texts;
  return fail(
    head,
    `expected ${elementCount} elements for shape [${head.shape.join(',')}], each behind its length, got ${bytes.length} bytes that hold ${texts.length}`,
  );
}

function readBooleans(head: Head, values: NumericArray): NumericArray {
  const wrong = values.findIndex((value: number | bigint) => value !== 0 && value !== 1);
  if (wrong >= 0)
    fail(head, `element ${wrong} of datatype BOOL: expected 0 or 1, got ${values[wrong] ?? ''}`);
  return values;
}

/** Shares memory with `bytes` where the alignment allows it. Throws RequestError when it is not what `head` says. */
export function readRaw(head: Head, bytes: Buffer): TensorData {
  const { datatype, shape } = head;
  if (datatype === 'BYTES') return readTexts(head, bytes);
  const constructor = numericConstructor(datatype);
  const elementCount = countElements(shape);
  const expected = elementCount * constructor.BYTES_PER_ELEMENT;
  if (bytes.length !== expected) {
    fail(head, `expected ${expected} bytes for ${datatype}[${shape.join(',')}], got ${bytes.length}`);
  }
  const isAligned = bytes.byteOffset % constructor.BYTES_PER_ELEMENT === 0;
  const source = isAligned ? bytes : new Uint8Array(bytes);
  const values = new constructor(source.buffer as ArrayBuffer, source.byteOffset, elementCount);
  return datatype === 'BOOL' ? readBooleans(head, values) : values;
}

function writeTexts(texts: readonly string[]): Buffer {
  const pieces = texts.flatMap((text) => {
    const bytes = Buffer.from(text);
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeUInt32LE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat(pieces);
}

/** Shares memory with the tensor, except for BYTES. */
export function writeRaw({ data }: Tensor): Buffer {
  if (Array.isArray(data)) return writeTexts(data);
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
