import { wireTypes } from './wire-reader.ts';

const FIRST_CAPACITY = 256;
const LONGEST_VARINT = 10;
/** A copy of what is smaller costs less than a piece of its own. */
export const LARGE_BYTES = 16_384;

/** Writes Protocol Buffers' wire format into memory that grows; a scalar that is its type's zero is left out. */
export class WireWriter {
  #bytes = Buffer.allocUnsafe(FIRST_CAPACITY);
  #length = 0;
  /** What was written before the piece that begins at `#start`. */
  readonly #pieces: Buffer[] = [];
  #start = 0;

  /** What was written, sharing memory with this writer. */
  finish(): Buffer {
    const pieces = this.finishPieces();
    const [only] = pieces;
    return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces);
  }

  /** The same in pieces that belong one behind the other: what is large has not been copied. */
  finishPieces(): readonly Buffer[] {
    this.#endPiece();
    return this.#pieces;
  }

  string(field: number, text: string): this {
    if (text !== '') this.#text(field, text);
    return this;
  }

  strings(field: number, texts: readonly string[]): this {
    for (const text of texts) this.#text(field, text);
    return this;
  }

  /** A length, then the bytes; also where they are none. */
  bytes(field: number, bytes: Uint8Array): this {
    this.#reserve(2 * LONGEST_VARINT + bytes.length);
    this.#tag(field, wireTypes.bytes);
    this.#varint(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** As `bytes`, sharing memory with them where they are large. Pre: not within a message. */
  shared(field: number, bytes: Buffer): this {
    if (bytes.length < LARGE_BYTES) return this.bytes(field, bytes);
    this.#reserve(2 * LONGEST_VARINT);
    this.#tag(field, wireTypes.bytes);
    this.#varint(bytes.length);
    this.#endPiece();
    this.#pieces.push(bytes);
    return this;
  }

  boolean(field: number, value: boolean): this {
    return this.uint(field, value ? 1 : 0);
  }

  /** A whole number from 0 to 2^53, of any integer type and of an enumeration. */
  uint(field: number, value: number): this {
    return value === 0 ? this : this.presentUint(field, value);
  }

  /** Also where it is 0: a member of a oneof. */
  presentUint(field: number, value: number): this {
    this.#reserve(2 * LONGEST_VARINT);
    this.#tag(field, wireTypes.varint);
    this.#varint(value);
    return this;
  }

  presentInt64(field: number, value: bigint): this {
    this.#reserve(2 * LONGEST_VARINT);
    this.#tag(field, wireTypes.varint);
    this.#bigVarint(BigInt.asUintN(64, value));
    return this;
  }

  double(field: number, value: number): this {
    this.#reserve(LONGEST_VARINT + 8);
    this.#tag(field, wireTypes.fixed64);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
    return this;
  }

  message(field: number, write: (writer: WireWriter) => void): this {
    const start = this.#beginNested(field);
    write(this);
    this.#endNested(start);
    return this;
  }

  /** Repeated whole numbers; those below 0 take ten bytes each, as the language has it for int32 and int64. */
  packed(field: number, values: Iterable<number | bigint>): this {
    const before = this.#length;
    const start = this.#beginNested(field);
    for (const value of values) {
      this.#reserve(LONGEST_VARINT);
      if (typeof value === 'number' && value >= 0) this.#varint(value);
      else this.#bigVarint(BigInt.asUintN(64, BigInt(value)));
    }
    if (this.#length === start) this.#length = before;
    else this.#endNested(start);
    return this;
  }

  #endPiece(): void {
    if (this.#length > this.#start) this.#pieces.push(this.#bytes.subarray(this.#start, this.#length));
    this.#start = this.#length;
  }

  #text(field: number, text: string): void {
    const length = Buffer.byteLength(text);
    this.#reserve(2 * LONGEST_VARINT + length);
    this.#tag(field, wireTypes.bytes);
    this.#varint(length);
    this.#length += this.#bytes.write(text, this.#length);
  }

  /** What is written until it ends is a field's value; gives where that begins. */
  #beginNested(field: number): number {
    this.#reserve(2 * LONGEST_VARINT);
    this.#tag(field, wireTypes.bytes);
    // Most values are shorter than 128 bytes, and their length one byte.
    return ++this.#length;
  }

  #endNested(start: number): void {
    const length = this.#length - start;
    this.#reserve(LONGEST_VARINT);
    const end = this.#length;
    this.#length = start - 1;
    if (length > 0x7f) this.#makeWay(start, end, length);
    this.#varint(length);
    this.#length += length;
  }

  /** Moves a value behind its length, which takes more than the one byte that was left for it. */
  #makeWay(start: number, end: number, length: number): void {
    const bytesOfLength = Math.ceil((32 - Math.clz32(length)) / 7);
    this.#bytes.copyWithin(start - 1 + bytesOfLength, start, end);
  }

  #tag(field: number, wireType: number): void {
    this.#varint(field * 8 + wireType);
  }

  #varint(value: number): void {
    let rest = value;
    for (; rest >= 2 ** 31; rest = Math.floor(rest / 128)) this.#bytes[this.#length++] = (rest % 128) | 0x80;
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#length++] = rest;
  }

  #bigVarint(value: bigint): void {
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
    this.#bytes[this.#length++] = Number(rest);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
