import { wireTypes, WireReader } from '../protobuf/wire-reader.ts';
import { countElements, numericConstructor, type Datatype, type Tensor } from '../tensor/datatype.ts';
import { readRaw } from '../tensor/raw.ts';

/** TensorProto.DataType of the ONNX specification, as far as it has a datatype of the protocol. */
const datatypeOfNumber = new Map<number, Datatype>([
  [1, 'FP32'],
  [2, 'UINT8'],
  [3, 'INT8'],
  [4, 'UINT16'],
  [5, 'INT16'],
  [6, 'INT32'],
  [7, 'INT64'],
  [8, 'BYTES'],
  [9, 'BOOL'],
  [10, 'FP16'],
  [11, 'FP64'],
  [12, 'UINT32'],
  [13, 'UINT64'],
]);

interface Parts {
  name: string;
  datatype: Datatype | undefined;
  readonly shape: number[];
  raw: Buffer | undefined;
  readonly numbers: (number | bigint)[];
  readonly texts: string[];
}

type ReadNumber = (reader: WireReader) => number | bigint;

/** A repeated number, packed into one field or not. */
function repeated(parts: Parts, read: ReadNumber): (reader: WireReader, wireType: number) => void {
  return (reader, wireType) => {
    if (wireType !== wireTypes.bytes) {
      parts.numbers.push(read(reader));
      return;
    }
    for (const packed = reader.message(); !packed.isAtEnd;) parts.numbers.push(read(packed));
  };
}

function pushSizes(reader: WireReader, wireType: number, shape: number[]): void {
  if (wireType !== wireTypes.bytes) {
    shape.push(reader.int64AsNumber());
    return;
  }
  for (const packed = reader.message(); !packed.isAtEnd;) shape.push(packed.int64AsNumber());
}

function readParts(bytes: Buffer): Parts {
  const parts: Parts = { name: '', datatype: undefined, shape: [], raw: undefined, numbers: [], texts: [] };
  new WireReader(bytes).readFields({
    1: (reader, wireType) => pushSizes(reader, wireType, parts.shape),
    2: (reader) => (parts.datatype = datatypeOfNumber.get(reader.int32())),
    4: repeated(parts, (reader) => reader.fixed(4).readFloatLE(0)),
    5: repeated(parts, (reader) => reader.int32()),
    6: (reader) => parts.texts.push(reader.string('string_data')),
    7: repeated(parts, (reader) => reader.int64()),
    8: (reader) => (parts.name = reader.string('name')),
    9: (reader) => (parts.raw = reader.bytes()),
    10: repeated(parts, (reader) => reader.double()),
    11: repeated(parts, (reader) => reader.uint64()),
  });
  return parts;
}

function checkCount({ shape }: Parts, values: readonly unknown[]): void {
  const elementCount = countElements(shape);
  if (values.length === elementCount) return;
  throw new Error(`expected ${elementCount} values for shape [${shape.join(',')}], got ${values.length}`);
}

function fill(datatype: Exclude<Datatype, 'BYTES'>, parts: Parts): Tensor['data'] {
  const { numbers } = parts;
  checkCount(parts, numbers);
  const data = new (numericConstructor(datatype))(numbers.length);
  const isBig = datatype === 'INT64' || datatype === 'UINT64';
  numbers.forEach((value, index) => {
    data[index] = isBig ? BigInt(value) : Number(value);
  });
  return data;
}

/** A tensor as ONNX files hold it. Throws an Error, or RequestError of the reader, with what is wrong. */
export function parseTensorProto(bytes: Buffer): Tensor {
  const parts = readParts(bytes);
  const { name, datatype, shape, raw, texts } = parts;
  if (datatype === undefined) throw new Error(`tensor '${name}' has a data type that cannot be served`);
  const head = { name, datatype, shape };
  if (datatype === 'BYTES') {
    checkCount(parts, texts);
    return { ...head, data: texts };
  }
  return { ...head, data: raw === undefined ? fill(datatype, parts) : readRaw(head, raw) };
}
