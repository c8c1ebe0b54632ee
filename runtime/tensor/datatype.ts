/** The datatypes of the Open Inference Protocol, and how each travels between JSON, memory and ONNX Runtime. */
export type Datatype =
  | 'BOOL'
  | 'UINT8'
  | 'UINT16'
  | 'UINT32'
  | 'UINT64'
  | 'INT8'
  | 'INT16'
  | 'INT32'
  | 'INT64'
  | 'FP16'
  | 'FP32'
  | 'FP64'
  | 'BYTES';

export type NumericArray =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

export type TensorData = NumericArray | string[];

export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** One input or output of a model. A dimension is a size, a symbol that must agree wherever it occurs, or -1. */
export interface TensorSpecification {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly (number | string)[];
}

export interface ModelSignature {
  readonly inputs: readonly TensorSpecification[];
  readonly outputs: readonly TensorSpecification[];
}

type NumericDatatype = Exclude<Datatype, 'BYTES'>;

interface NumericConstructor {
  readonly BYTES_PER_ELEMENT: number;
  new (length: number): NumericArray;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): NumericArray;
}

/** BOOL is one byte per element, FP16 its 16 bits: that is how ONNX Runtime takes both. */
const constructors = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} satisfies Record<NumericDatatype, NumericConstructor>;

/** The order is the code of each datatype in a frame between the serving process and the executor. */
export const datatypes = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'FP32',
  'FP64',
  'BYTES',
] as const satisfies readonly Datatype[];

export function isDatatype(name: string): name is Datatype {
  return (datatypes as readonly string[]).includes(name);
}

export function numericConstructor(datatype: NumericDatatype): NumericConstructor {
  return constructors[datatype];
}

export function allocate(datatype: Datatype, elementCount: number): TensorData {
  if (datatype === 'BYTES') return new Array<string>(elementCount).fill('');
  return new constructors[datatype](elementCount);
}

/** The sizes with commas between them. For the two or three that there are, `join` takes a multiple of this. */
export function shapeText(shape: readonly number[]): string {
  let text = '';
  for (let axis = 0; axis < shape.length; axis++) text += `${axis === 0 ? '' : ','}${shape[axis] ?? 0}`;
  return text;
}

export function countElements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
