import { RequestError } from '../../errors.ts';
import {
  allocate,
  countElements,
  type Datatype,
  type NumericArray,
  type Tensor,
  type TensorData,
} from '../../tensor/datatype.ts';
import { wireTypes, WireReader } from '../protobuf/wire-reader.ts';
import type { WireWriter } from '../protobuf/wire-writer.ts';

/** InferTensorContents: one list for each family of datatypes; FP16 has none. */

type Head = Omit<Tensor, 'data'>;
type TypedDatatype = Exclude<Datatype, 'FP16'>;

interface Elements {
  readonly field: number;
  readonly list: string;
  /** Of one element on its own. */
  readonly wireType: number;
  /** The fewest bytes that an element takes in a list. */
  readonly leastBytes: number;
  readonly read: (reader: WireReader) => number | bigint | string;
  /** Of what the list can hold and the datatype cannot. */
  readonly range?: { readonly least: number; readonly most: number };
}

const { varint, bytes, fixed32, fixed64 } = wireTypes;

function readText(reader: WireReader): string {
  const text = reader.string('bytes_contents');
  // ONNX Runtime takes strings as C strings: everything behind a NUL would be lost without a word.
  if (text.includes('\0')) reader.fail('an element of bytes_contents holds a NUL byte');
  return text;
}

function signed(least: number, most: number): Elements {
  const read = (reader: WireReader): number => reader.int32();
  return { field: 2, list: 'int_contents', wireType: varint, leastBytes: 1, read, range: { least, most } };
}

function unsigned(most: number): Elements {
  const read = (reader: WireReader): number => reader.truncatedUint32();
  return {
    field: 4,
    list: 'uint_contents',
    wireType: varint,
    leastBytes: 1,
    read,
    range: { least: 0, most },
  };
}

const elementsOf: Readonly<Record<TypedDatatype, Elements>> = {
  BOOL: {
    ...{ field: 1, list: 'bool_contents', wireType: varint, leastBytes: 1 },
    read: (reader) => (reader.boolean() ? 1 : 0),
  },
  INT8: signed(-128, 127),
  INT16: signed(-32_768, 32_767),
  INT32: signed(-2_147_483_648, 2_147_483_647),
  INT64: {
    ...{ field: 3, list: 'int64_contents', wireType: varint, leastBytes: 1 },
    read: (reader) => reader.int64(),
  },
  UINT8: unsigned(255),
  UINT16: unsigned(65_535),
  UINT32: unsigned(4_294_967_295),
  UINT64: {
    ...{ field: 5, list: 'uint64_contents', wireType: varint, leastBytes: 1 },
    read: (reader) => reader.uint64(),
  },
  FP32: {
    ...{ field: 6, list: 'fp32_contents', wireType: fixed32, leastBytes: 4 },
    read: (reader) => reader.fixed(4).readFloatLE(0),
  },
  FP64: {
    ...{ field: 7, list: 'fp64_contents', wireType: fixed64, leastBytes: 8 },
    read: (reader) => reader.double(),
  },
  BYTES: { field: 8, list: 'bytes_contents', wireType: bytes, leastBytes: 2, read: readText },
};
const listNames = new Map(Object.values(elementsOf).map(({ field, list }) => [field, list]));

function fail({ name }: Head, problem: string): never {
  throw new RequestError('InvalidTensor', `tensor '${name}': ${problem}`);
}

function describe({ datatype, shape }: Head): string {
  return `${datatype}[${shape.join(',')}]`;
}

/** Fills one tensor from the lists of its contents, which may come in several pieces. */
class ContentsReader {
  readonly #head: Head;
  readonly #datatype: TypedDatatype;
  readonly #elements: Elements;
  readonly #byteCount: number;
  readonly #elementCount: number;
  #data: TensorData | undefined;
  #filled = 0;

  constructor(head: Head, datatype: TypedDatatype, byteCount: number) {
    this.#head = head;
    this.#datatype = datatype;
    this.#elements = elementsOf[datatype];
    this.#byteCount = byteCount;
    this.#elementCount = countElements(head.shape);
  }

  read(piece: WireReader): void {
    const { field, list } = this.#elements;
    const refuse = (other: string) => (reader: WireReader, wireType: number) => {
      if (wireType === bytes && reader.bytes().length === 0) return;
      fail(this.#head, `expected the values of ${describe(this.#head)} in ${list}, got ${other}`);
    };
    const others = [...listNames].filter(([number]) => number !== field);
    piece.readFields({
      ...Object.fromEntries(others.map(([number, other]) => [number, refuse(other)])),
      [field]: (reader, wireType) => this.#readList(reader, wireType),
    });
  }

  finish(): TensorData {
    const data = this.#allocate();
    if (this.#filled !== this.#elementCount) this.#failCount(String(this.#filled));
    return data;
  }

  #allocate(): TensorData {
    const { leastBytes, list } = this.#elements;
    // A shape alone must not make us allocate gigabytes.
    if (this.#elementCount > this.#byteCount / leastBytes)
      fail(
        this.#head,
        `expected ${this.#elementCount} values for ${describe(this.#head)}, got fewer: ${this.#byteCount} bytes of ${list}`,
      );
    this.#data ??= allocate(this.#datatype, this.#elementCount);
    return this.#data;
  }

  #readList(reader: WireReader, wireType: number): void {
    const { wireType: single, list } = this.#elements;
    const data = this.#allocate();
    if (wireType === single) {
      this.#readOne(reader, data);
      return;
    }
    reader.expect(wireType, bytes, list);
    const packed = reader.bytes();
    if (data instanceof Float32Array || data instanceof Float64Array) this.#copy(packed, data);
    else for (const inner = new WireReader(packed); !inner.isAtEnd;) this.#readOne(inner, data);
  }

  /** Floats lie in the message as they lie in memory. */
  #copy(packed: Buffer, data: Float32Array | Float64Array): void {
    const count = packed.length / data.BYTES_PER_ELEMENT;
    if (!Number.isInteger(count))
      fail(this.#head, `${packed.length} bytes of ${this.#elements.list} are no whole number of values`);
    if (this.#filled + count > this.#elementCount) this.#failCount(String(this.#filled + count));
    const start = data.byteOffset + this.#filled * data.BYTES_PER_ELEMENT;
    new Uint8Array(data.buffer, start, packed.length).set(packed);
    this.#filled += count;
  }

  #readOne(reader: WireReader, data: TensorData): void {
    const { read, range } = this.#elements;
    const index = this.#filled++;
    if (index >= this.#elementCount) this.#failCount('more');
    const value = read(reader);
    if (range !== undefined && (Number(value) < range.least || Number(value) > range.most))
      fail(
        this.#head,
        `element ${index} of datatype ${this.#head.datatype}: expected a whole number from ${range.least} to ${range.most}, got ${String(value)}`,
      );
    (data as (number | bigint | string)[])[index] = value;
  }

  #failCount(got: string): never {
    return fail(
      this.#head,
      `expected ${this.#elementCount} values for ${describe(this.#head)}, got ${got} in ${this.#elements.list}`,
    );
  }
}

/** Throws RequestError when the pieces are not what `head` says. */
export function readContents(head: Head, pieces: readonly Buffer[]): TensorData {
  const { datatype } = head;
  if (datatype === 'FP16')
    fail(head, 'datatype FP16 has no typed contents in the protocol; send it in raw_input_contents');
  const byteCount = pieces.reduce((sum, { length }) => sum + length, 0);
  const contents = new ContentsReader(head, datatype, byteCount);
  for (const piece of pieces) contents.read(new WireReader(piece));
  return contents.finish();
}

/** Undefined: this datatype has no typed form. */
export function writeContents({ datatype, data }: Tensor): ((writer: WireWriter) => void) | undefined {
  if (datatype === 'FP16') return undefined;
  const { field } = elementsOf[datatype];
  return (writer) => {
    if (Array.isArray(data)) writer.strings(field, data);
    else if (data instanceof Float32Array || data instanceof Float64Array) {
      if (data.length > 0) writer.bytes(field, bytesOf(data));
    } else writer.packed(field, data);
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: NumericArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
