import { wireTypes } from './wire-reader.ts';

const FIRST_CAPACITY = 256;
const LONGEST_VARINT = 10;

/** Writes Protocol Buffers' wire format into memory that grows; a scalar that is its type's zero is left out. */
export class WireWriter {
  #bytes = Buffer.allocUnsafe(FIRST_CAPACITY);
  #length = 0;

  /** What was written, sharing memory with this writer. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  string(field: number, text: string): this {
    return text === '' ? this : this.bytes(field, Buffer.from(text));
  }

  strings(field: number, texts: readonly string[]): this {
    for (const text of texts) this.bytes(field, Buffer.from(text));
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
    const inner = new WireWriter();
    write(inner);
    return this.bytes(field, inner.finish());
  }

  /** Repeated whole numbers; those below 0 take ten bytes each, as the language has it for int32 and int64. */
  packed(field: number, values: Iterable<number | bigint>): this {
    const inner = new WireWriter();
    for (const value of values) {
      inner.#reserve(LONGEST_VARINT);
      if (typeof value === 'number' && value >= 0) inner.#varint(value);
      else inner.#bigVarint(BigInt.asUintN(64, BigInt(value)));
    }
    return inner.#length === 0 ? this : this.bytes(field, inner.finish());
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
