import { isUtf8 } from 'node:buffer';
import { RequestError } from '../errors.ts';

/** How a field's value is laid out; groups (3 and 4) left the language long ago. */
export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const TWO_TO_32 = 2 ** 32;
/** Ten groups of seven bits make 64 bits and more. */
const LONGEST_VARINT = 10;

/**
 * Reads what is in one message, in any order and with the unknown fields left out. Readers that put what they read into a
 * target are made once; those that put it elsewhere are made for each message.
 */
export type FieldReaders<Target = undefined> = Readonly<
  Record<number, (reader: WireReader, wireType: number, target: Target) => void>
>;

/**
 * Protocol Buffers' wire format, read in place: strings and bytes are views, 64-bit numbers are exact.
 * https://protobuf.dev/programming-guides/encoding
 */
export class WireReader {
  readonly #bytes: Buffer;
  #position = 0;
  /** The 64 bits of the varint that was read last. */
  #low = 0;
  #high = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  fail(problem: string): never {
    throw new RequestError('MalformedRequest', `the message is no valid Protocol Buffers: ${problem}`);
  }

  readFields(readers: FieldReaders): void {
    this.readFieldsInto(undefined, readers);
  }

  readFieldsInto<Target>(target: Target, readers: FieldReaders<Target>): void {
    while (!this.isAtEnd) {
      const tag = this.uint32('a tag');
      const read = readers[tag >>> 3];
      if (read === undefined) this.skip(tag & 7);
      else read(this, tag & 7, target);
    }
  }

  expect(wireType: number, expected: number, field: string): void {
    if (wireType !== expected)
      this.fail(`expected wire type ${expected} for ${field}, got ${wireType} at byte ${this.#position}`);
  }

  skip(wireType: number): void {
    if (wireType === wireTypes.varint) this.#readVarint();
    else if (wireType === wireTypes.bytes) this.#take(this.uint32('a length'));
    else if (wireType === wireTypes.fixed64) this.#take(8);
    else if (wireType === wireTypes.fixed32) this.#take(4);
    else this.fail(`wire type ${wireType} at byte ${this.#position} is not known`);
  }

  /** A tag, a length or a count. */
  uint32(what: string): number {
    const first = this.#bytes[this.#position];
    if (first !== undefined && first < 0x80) {
      this.#position++;
      return first;
    }
    this.#readVarint();
    if (this.#high !== 0) this.fail(`${what} at byte ${this.#position} is beyond 32 bits`);
    return this.#low;
  }

  /** The lower 32 bits, as the language has it for int32. */
  int32(): number {
    this.#readVarint();
    return this.#low | 0;
  }

  truncatedUint32(): number {
    this.#readVarint();
    return this.#low;
  }

  boolean(): boolean {
    this.#readVarint();
    return this.#low !== 0 || this.#high !== 0;
  }

  int64(): bigint {
    this.#readVarint();
    return (BigInt(this.#high | 0) << 32n) | BigInt(this.#low);
  }

  uint64(): bigint {
    this.#readVarint();
    return (BigInt(this.#high) << 32n) | BigInt(this.#low);
  }

  /** An int64 as a number: exact up to 2^53, beyond that only known to be large. */
  int64AsNumber(): number {
    this.#readVarint();
    return (this.#high | 0) * TWO_TO_32 + this.#low;
  }

  double(): number {
    return this.#take(8).readDoubleLE(0);
  }

  /** Shares memory with the message. */
  bytes(): Buffer {
    return this.#take(this.uint32('a length'));
  }

  fixed(length: number): Buffer {
    return this.#take(length);
  }

  string(field: string): string {
    const bytes = this.bytes();
    if (!isUtf8(bytes)) this.fail(`${field} is not UTF-8`);
    return bytes.toString('utf8');
  }

  /** Of a field that must be one. */
  text(wireType: number, field: string): string {
    this.expect(wireType, wireTypes.bytes, field);
    return this.string(field);
  }

  message(): WireReader {
    return new WireReader(this.bytes());
  }

  #take(length: number): Buffer {
    const start = this.#position;
    const end = start + length;
    if (end > this.#bytes.length)
      this.fail(`it ends at byte ${this.#bytes.length}, within a value of ${length} bytes at byte ${start}`);
    this.#position = end;
    return this.#bytes.subarray(start, end);
  }

  #readVarint(): void {
    let low = 0;
    let high = 0;
    for (let index = 0; index < LONGEST_VARINT; index++) {
      const byte = this.#bytes[this.#position++];
      if (byte === undefined) this.fail(`it ends at byte ${this.#bytes.length}, within a number`);
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (7 * index - 32);
      if (byte < 0x80) {
        this.#low = low >>> 0;
        this.#high = high >>> 0;
        return;
      }
    }
    this.fail(`a number at byte ${this.#position} is longer than ${LONGEST_VARINT} bytes`);
  }
}
