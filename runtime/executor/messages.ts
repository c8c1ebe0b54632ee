import {
  countElements,
  datatypes,
  numericConstructor,
  type ModelSignature,
  type NumericArray,
  type Tensor,
  type TensorData,
} from '../tensor/datatype.ts';
import type { BatchProfile } from '../batching/batcher.ts';
import { stackInputs, type StackedInput } from '../batching/merge.ts';
import type { InferWork } from '../tensor/validate.ts';
import type { RunResult } from './executor.ts';
import type { ExecutionProvider } from './execution-providers.ts';
import { paddingAt, PieceWriter } from './piece-writer.ts';
import type { SessionSettings } from './session-settings.ts';

/** What the serving process sends once, before anything else. */
export interface LoadMessage {
  readonly modelPath: string;
  readonly threads: number;
  /** Rows of the largest batch that will be asked for; 1: none. */
  readonly maxBatchRows: number;
  readonly session: SessionSettings;
}

export interface ReadyMessage {
  readonly provider: ExecutionProvider;
  /** Those that were to be tried before, each with what it said. */
  readonly passedOver: readonly string[];
  readonly signature: ModelSignature;
  readonly batchProfile: BatchProfile;
}

export interface FailedMessage {
  readonly reason: 'ModelInvalid' | 'ModelWarmUpFailed' | 'ExecutionProviderMissing';
  readonly message: string;
}

export interface RunFailedMessage {
  readonly cause: 'invalidInput' | 'model';
  readonly message: string;
}

export function writeJson(
  payload: PieceWriter,
  value: LoadMessage | ReadyMessage | FailedMessage | RunFailedMessage,
): void {
  payload.bytes(Buffer.from(JSON.stringify(value)));
}

/** Both ends are this very version of the program: what arrives is what `writeJson` was given. */
export function decodeJson(payload: Buffer): unknown {
  return JSON.parse(payload.toString());
}

class Reader {
  readonly #buffer: Buffer;
  #position = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  f64(): number {
    this.#position += 8;
    return this.#buffer.readDoubleLE(this.#position - 8);
  }

  u32(): number {
    this.#position += 4;
    return this.#buffer.readUInt32LE(this.#position - 4);
  }

  /** A count and so many items. `Array.from` would take several times as long for a few of them. */
  list<Item>(read: () => Item): Item[] {
    const items: Item[] = [];
    for (let left = this.u32(); left > 0; left--) items.push(read());
    return items;
  }

  aligned(): Buffer {
    const length = this.u32();
    this.#position += paddingAt(this.#position);
    return this.#take(length);
  }

  #take(length: number): Buffer {
    this.#position += length;
    return this.#buffer.subarray(this.#position - length, this.#position);
  }

  text(): string {
    const length = this.u32();
    this.#position += length;
    return this.#buffer.toString('utf8', this.#position - length, this.#position);
  }
}

function encodeData(data: TensorData): Buffer {
  if (!Array.isArray(data)) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const writer = new PieceWriter();
  for (const text of data) writer.text(text);
  return Buffer.concat(writer.finish());
}

function decodeNumbers(
  datatype: Exclude<Tensor['datatype'], 'BYTES'>,
  bytes: Buffer,
  elementCount: number,
): NumericArray {
  const constructor = numericConstructor(datatype);
  const isAligned = bytes.byteOffset % constructor.BYTES_PER_ELEMENT === 0;
  if (isAligned) return new constructor(bytes.buffer as ArrayBuffer, bytes.byteOffset, elementCount);
  const copy = new Uint8Array(bytes);
  return new constructor(copy.buffer, 0, elementCount);
}

function writeTensors(writer: PieceWriter, tensors: readonly StackedInput[]): void {
  writer.u32(tensors.length);
  for (const { name, datatype, shape, parts } of tensors) {
    writer.text(name);
    writer.u32(datatypes.indexOf(datatype));
    writer.u32(shape.length);
    for (const size of shape) writer.u32(size);
    writer.aligned(parts.map(encodeData));
  }
}

function inOnePart({ name, datatype, shape, data }: Tensor): StackedInput {
  return { name, datatype, shape, parts: [data] };
}

function readTensor(reader: Reader): Tensor {
  const name = reader.text();
  const datatype = datatypes[reader.u32()];
  if (datatype === undefined) throw new Error(`tensor '${name}' of unknown datatype in a frame`);
  const shape = reader.list(() => reader.u32());
  const bytes = reader.aligned();
  const elementCount = countElements(shape);
  if (datatype !== 'BYTES')
    return { name, datatype, shape, data: decodeNumbers(datatype, bytes, elementCount) };
  const strings = new Reader(bytes);
  return { name, datatype, shape, data: Array.from({ length: elementCount }, () => strings.text()) };
}

function readTensors(reader: Reader): Tensor[] {
  return reader.list(() => readTensor(reader));
}

export function encodeTensors(tensors: readonly Tensor[]): Buffer {
  const writer = new PieceWriter();
  writeTensors(writer, tensors.map(inOnePart));
  return Buffer.concat(writer.finish());
}

export function decodeTensors(payload: Buffer): Tensor[] {
  return readTensors(new Reader(payload));
}

/** Pre: as of stackInputs. */
export function writeWork(payload: PieceWriter, works: readonly InferWork[]): void {
  const outputNames = works[0]?.outputNames ?? [];
  payload.u32(outputNames.length);
  for (const name of outputNames) payload.text(name);
  writeTensors(payload, stackInputs(works));
}

export function decodeWork(payload: Buffer): InferWork {
  const reader = new Reader(payload);
  const outputNames = reader.list(() => reader.text());
  return { outputNames, inputs: readTensors(reader) };
}

export function writeResult(payload: PieceWriter, { computeMs, outputs }: RunResult): void {
  payload.f64(computeMs);
  writeTensors(payload, outputs.map(inOnePart));
}

export function decodeResult(payload: Buffer): RunResult {
  const reader = new Reader(payload);
  return { computeMs: reader.f64(), outputs: readTensors(reader) };
}
