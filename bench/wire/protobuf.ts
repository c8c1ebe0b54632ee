/** As much of Protocol Buffers as one request and one answer need; a decoder of its own is a check of the servers'. */

const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;

function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}

export function varintField(field: number, value: number): Buffer {
  return Buffer.concat([varint((field << 3) | VARINT), varint(value)]);
}

export function bytesField(field: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([varint((field << 3) | BYTES), varint(bytes.length), bytes]);
}

/** Numbers in one run, as proto3 packs them. */
export function packedField(field: number, values: readonly number[]): Buffer {
  return bytesField(field, Buffer.concat(values.map(varint)));
}

class Reader {
  position = 0;
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.position >= this.bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bytes.readUInt8(this.position++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
  }

  take(length: number): Buffer {
    this.position += length;
    return this.bytes.subarray(this.position - length, this.position);
  }
}

/** The values of each length-delimited field, in their order; others are passed over. */
export function readFields(message: Buffer): ReadonlyMap<number, readonly Buffer[]> {
  const fields = new Map<number, Buffer[]>();
  for (const reader = new Reader(message); !reader.isAtEnd;) {
    const key = Number(reader.varint());
    const wireType = key & 7;
    if (wireType === VARINT) reader.varint();
    else if (wireType === FIXED_64 || wireType === FIXED_32) reader.take(wireType === FIXED_64 ? 8 : 4);
    else {
      const value = reader.take(Number(reader.varint()));
      fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), value]);
    }
  }
  return fields;
}

export function unpackVarints(packed: Buffer): number[] {
  const values: number[] = [];
  for (const reader = new Reader(packed); !reader.isAtEnd;) values.push(Number(reader.varint()));
  return values;
}
