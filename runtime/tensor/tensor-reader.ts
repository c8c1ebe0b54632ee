import { RequestError } from '../errors.ts';
import { allocate, countElements, type Datatype, type Tensor, type TensorData } from './datatype.ts';
import { OPEN_ARRAY, type JsonScanner } from './json-scanner.ts';
import type { NumberToken } from './number-token.ts';
import { exactPowersOfTen, PlainNumbers } from './plain-numbers.ts';

type JsonDatatype = Exclude<Datatype, 'FP16'>;
type ElementReader = (scanner: JsonScanner, data: TensorData, index: number) => void;
type Head = Omit<Tensor, 'data'>;

const EXACT_DIGITS = 15;
const loneSurrogate = /\p{Surrogate}/u;

const MINUS = 0x2d;
const LETTER_I = 0x49;
const LETTER_N = 0x4e;

class ElementError extends Error {}

function failElement(scanner: JsonScanner, expected: string, start: number): never {
  throw new ElementError(`expected ${expected}, got '${scanner.quote(start).replace(/[,\]].*$/su, '')}'`);
}

function toDouble(scanner: JsonScanner, token: NumberToken): number {
  const power = exactPowersOfTen[Math.abs(token.exponent)];
  if (token.digitCount > EXACT_DIGITS || power === undefined)
    return Number(scanner.text(token.start, token.end));
  const magnitude = token.exponent < 0 ? token.digits / power : token.digits * power;
  return token.negative ? -magnitude : magnitude;
}

/** NaN, Infinity and -Infinity are no JSON, but Python's json and Triton write them so, and null would lose them. */
function readNonFinite(scanner: JsonScanner): number | undefined {
  if (scanner.takeWord('NaN')) return NaN;
  if (scanner.takeWord('Infinity')) return Infinity;
  if (scanner.takeWord('-Infinity')) return -Infinity;
  return undefined;
}

function isNumberStart(byte: number): boolean {
  return byte === 0x2d || (byte >= 0x30 && byte <= 0x39);
}

/** The first letters of NaN, Infinity and -Infinity. */
function mayBeNonFinite(first: number, scanner: JsonScanner): boolean {
  return first === LETTER_N || first === LETTER_I || (first === MINUS && scanner.peekFurther() === LETTER_I);
}

function readFloat(datatype: 'FP32' | 'FP64'): ElementReader {
  const round = datatype === 'FP32' ? Math.fround : (value: number): number => value;
  return (scanner, data, index) => {
    const first = scanner.peek();
    const start = scanner.position;
    const word = mayBeNonFinite(first, scanner) ? readNonFinite(scanner) : undefined;
    if (word !== undefined) {
      (data as Float64Array)[index] = word;
      return;
    }
    if (!isNumberStart(first)) failElement(scanner, 'a number', start);
    const value = round(toDouble(scanner, scanner.readNumber('a number')));
    if (!Number.isFinite(value)) failElement(scanner, `a number that ${datatype} can hold`, start);
    (data as Float64Array)[index] = value;
  };
}

function readWhole(minimum: number, maximum: number): ElementReader {
  const expected = `a whole number from ${minimum} to ${maximum}`;
  return (scanner, data, index) => {
    const first = scanner.peek();
    const start = scanner.position;
    if (!isNumberStart(first)) failElement(scanner, expected, start);
    const token = scanner.readNumber(expected);
    const value = token.negative ? -token.digits : token.digits;
    if (!token.isWhole || value < minimum || value > maximum) failElement(scanner, expected, start);
    (data as Int32Array)[index] = value;
  };
}

function readBigWhole(minimum: bigint, maximum: bigint): ElementReader {
  const expected = `a whole number from ${String(minimum)} to ${String(maximum)}`;
  return (scanner, data, index) => {
    const first = scanner.peek();
    const start = scanner.position;
    if (!isNumberStart(first)) failElement(scanner, expected, start);
    const token = scanner.readNumber(expected);
    // More digits than the largest value has: not worth a conversion whose cost grows with the square of the length.
    if (!token.isWhole || token.digitCount > 20) failElement(scanner, expected, start);
    const value = BigInt(scanner.text(token.start, token.end));
    if (value < minimum || value > maximum) failElement(scanner, expected, start);
    (data as BigInt64Array)[index] = value;
  };
}

function readBoolean(scanner: JsonScanner, data: TensorData, index: number): void {
  scanner.peek();
  const start = scanner.position;
  if (scanner.takeWord('true')) (data as Uint8Array)[index] = 1;
  else if (scanner.takeWord('false')) (data as Uint8Array)[index] = 0;
  else failElement(scanner, 'true or false', start);
}

function readBytes(scanner: JsonScanner, data: TensorData, index: number): void {
  if (scanner.peek() !== 0x22) failElement(scanner, 'a string', scanner.position);
  const start = scanner.position;
  const text = scanner.readString('a string');
  // ONNX Runtime takes strings as C strings: everything behind a NUL would be lost without a word.
  if (text.includes('\0')) failElement(scanner, 'a string without the character U+0000', start);
  if (loneSurrogate.test(text)) failElement(scanner, 'a string without lone surrogates', start);
  (data as string[])[index] = text;
}

const elementReaders: Record<JsonDatatype, ElementReader> = {
  BOOL: readBoolean,
  UINT8: readWhole(0, 255),
  UINT16: readWhole(0, 65_535),
  UINT32: readWhole(0, 4_294_967_295),
  UINT64: readBigWhole(0n, 18_446_744_073_709_551_615n),
  INT8: readWhole(-128, 127),
  INT16: readWhole(-32_768, 32_767),
  INT32: readWhole(-2_147_483_648, 2_147_483_647),
  INT64: readBigWhole(-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n),
  FP32: readFloat('FP32'),
  FP64: readFloat('FP64'),
  BYTES: readBytes,
};

export function failTensor(name: string, problem: string): never {
  throw new RequestError('InvalidTensor', `tensor '${name}': ${problem}`);
}

function describeShape(shape: readonly number[]): string {
  return `[${shape.join(',')}]`;
}

/** Reads one `data` array, flat or nested in row-major order, into memory of the tensor's own type. */
class TensorReader {
  readonly #scanner: JsonScanner;
  readonly #head: Head;
  readonly #elementCount: number;
  readonly #data: TensorData;
  readonly #readElement: ElementReader;
  readonly #plain: PlainNumbers;
  #filled = 0;

  constructor(scanner: JsonScanner, head: Head, datatype: JsonDatatype) {
    this.#scanner = scanner;
    this.#head = head;
    this.#elementCount = countElements(head.shape);
    // An element takes two bytes of JSON at least: a shape alone must not make us allocate gigabytes.
    if (this.#elementCount > scanner.bytes.length / 2) {
      failTensor(
        head.name,
        `shape ${describeShape(head.shape)} means ${this.#elementCount} values, more than the body can hold`,
      );
    }
    this.#data = allocate(datatype, this.#elementCount);
    this.#readElement = elementReaders[datatype];
    this.#plain = new PlainNumbers(scanner.bytes);
  }

  read(): TensorData {
    const { name, shape } = this.#head;
    if (this.#scanner.peek() !== OPEN_ARRAY) failTensor(name, `'data' must be an array`);
    const isNested = this.#startsNested();
    if (isNested) this.#readNested(0);
    else this.#readRow();
    if (this.#filled !== this.#elementCount) {
      failTensor(
        name,
        `expected ${this.#elementCount} values for shape ${describeShape(shape)}, got ${this.#filled} in 'data'`,
      );
    }
    return this.#data;
  }

  #startsNested(): boolean {
    const ahead = this.#scanner.at(this.#scanner.position + 1);
    return ahead.peek() === OPEN_ARRAY;
  }

  #readNested(depth: number): void {
    const { name, shape } = this.#head;
    if (this.#scanner.peek() !== OPEN_ARRAY || depth >= shape.length) {
      failTensor(
        name,
        `the nesting of 'data' does not follow shape ${describeShape(shape)} at level ${depth}`,
      );
    }
    const isInnermost = depth === shape.length - 1;
    const count = isInnermost
      ? this.#readRow()
      : this.#scanner.readArray('an array', () => this.#readNested(depth + 1));
    if (count !== shape[depth]) {
      failTensor(
        name,
        `expected ${shape[depth] ?? 0} entries at level ${depth} of 'data' for shape ${describeShape(shape)}, got ${count}`,
      );
    }
  }

  /** An array without arrays in it; gives the number of its values. */
  #readRow(): number {
    const before = this.#filled;
    this.#scanner.readArray('an array', () => {
      this.#readPlain();
      this.#readOne();
    });
    return this.#filled - before;
  }

  /** Takes what the fast way can; at least one value is left. */
  #readPlain(): void {
    const data = this.#data;
    if (!(data instanceof Float32Array || data instanceof Float64Array)) return;
    this.#scanner.peek();
    this.#plain.position = this.#scanner.position;
    this.#filled = this.#plain.read(data, this.#filled, this.#elementCount);
    this.#scanner.position = this.#plain.position;
  }

  #readOne(): void {
    const index = this.#filled++;
    if (index >= this.#elementCount) {
      const { name, shape } = this.#head;
      failTensor(
        name,
        `expected ${this.#elementCount} values for shape ${describeShape(shape)}, got more in 'data'`,
      );
    }
    try {
      this.#readElement(this.#scanner, this.#data, index);
    } catch (error) {
      if (!(error instanceof ElementError)) throw error;
      failTensor(this.#head.name, `element ${index} of datatype ${this.#head.datatype}: ${error.message}`);
    }
  }
}

export function readTensorData(scanner: JsonScanner, head: Head): TensorData {
  const { name, datatype } = head;
  if (datatype === 'FP16') {
    failTensor(name, 'datatype FP16 has no JSON form in the Open Inference Protocol; send it as binary data');
  }
  return new TensorReader(scanner, head, datatype).read();
}
