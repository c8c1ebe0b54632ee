import { RequestError } from '../../errors.ts';
import type { InferRequest, ParameterValue, RequestedOutput } from '../../inference/inference.ts';
import { isDatatype, type Datatype, type Tensor } from '../../tensor/datatype.ts';
import { readRaw } from '../../tensor/raw.ts';
import { wireTypes, WireReader, type FieldReaders } from '../protobuf/wire-reader.ts';
import { readParameter } from './parameters.ts';
import { readContents } from './tensor-contents.ts';

const MAXIMUM_RANK = 32;
const MAXIMUM_SIZE = 2 ** 31;
const MAXIMUM_TENSORS = 1024;

/** How the tensors came, which is how they go back. */
export type Form = 'Raw' | 'Typed';

export interface GrpcInferRequest {
  readonly modelName: string;
  /** Empty: any. */
  readonly modelVersion: string;
  readonly form: Form;
  readonly request: InferRequest;
}

interface InputHead {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  /** Typed contents, in pieces, as they came. */
  readonly pieces: readonly Buffer[];
}

function malformed(message: string): never {
  throw new RequestError('MalformedRequest', message);
}

function asDatatype(name: string, text: string): Datatype {
  if (isDatatype(text)) return text;
  const known = text.slice(0, 40);
  if (text === 'BF16')
    throw new RequestError(
      'InvalidTensor',
      `tensor '${name}': datatype BF16 cannot be passed to the model by this server; export the model with FP32 or FP16 inputs`,
    );
  return malformed(`tensor '${name}': datatype '${known}' is not known`);
}

function pushSize(reader: WireReader, shape: number[]): void {
  const size = reader.int64AsNumber();
  if (size < 0 || size > MAXIMUM_SIZE)
    malformed(`'shape' holds ${size}: expected whole numbers from 0 to 2^31`);
  if (shape.push(size) > MAXIMUM_RANK) malformed(`'shape' has more than ${MAXIMUM_RANK} dimensions`);
}

function readSizes(reader: WireReader, wireType: number, shape: number[]): void {
  if (wireType === wireTypes.varint) {
    pushSize(reader, shape);
    return;
  }
  reader.expect(wireType, wireTypes.bytes, 'shape');
  for (const packed = reader.message(); !packed.isAtEnd;) pushSize(packed, shape);
}

/** Shared memory is named in parameters; a client that passes tensors so would otherwise learn only that none came. */
function refuseSharedMemory(name: string, parameters: ReadonlyMap<string, ParameterValue>): void {
  if (!parameters.has('shared_memory_region')) return;
  throw new RequestError(
    'InvalidTensor',
    `tensor '${name}': shared memory is not offered by this server, whose clients are on other machines; send its values in raw_input_contents`,
  );
}

function stringInto(field: string, take: (text: string) => void): FieldReaders[number] {
  return (reader, wireType) => {
    reader.expect(wireType, wireTypes.bytes, field);
    take(reader.string(field));
  };
}

function readInput(message: WireReader): InputHead {
  let name = '';
  let datatype = '';
  const shape: number[] = [];
  const parameters = new Map<string, ParameterValue>();
  const pieces: Buffer[] = [];
  message.readFields({
    1: stringInto('the name of a tensor', (text) => (name = text)),
    2: stringInto('datatype', (text) => (datatype = text)),
    3: (reader, wireType) => readSizes(reader, wireType, shape),
    4: (reader, wireType) => readParameter(reader, wireType, parameters),
    5: (reader, wireType) => {
      reader.expect(wireType, wireTypes.bytes, 'contents');
      pieces.push(reader.bytes());
    },
  });
  refuseSharedMemory(name, parameters);
  return { name, datatype: asDatatype(name, datatype), shape, pieces };
}

function readOutput(message: WireReader): RequestedOutput {
  let name = '';
  const parameters = new Map<string, ParameterValue>();
  message.readFields({
    1: stringInto('the name of an output', (text) => (name = text)),
    2: (reader, wireType) => readParameter(reader, wireType, parameters),
  });
  return { name, parameters };
}

function readTensors(heads: readonly InputHead[], raw: readonly Buffer[]): Tensor[] {
  if (raw.length === 0)
    return heads.map(({ pieces, ...head }) => ({ ...head, data: readContents(head, pieces) }));
  if (raw.length !== heads.length)
    malformed(`expected ${heads.length} raw_input_contents, one for each input, got ${raw.length}`);
  return heads.map(({ pieces, ...head }, index) => {
    if (pieces.some(({ length }) => length > 0))
      malformed(
        `tensor '${head.name}': its values came in contents and in raw_input_contents; send one of them, alike for all inputs`,
      );
    return { ...head, data: readRaw(head, raw[index] ?? Buffer.alloc(0)) };
  });
}

/** A ModelInferRequest, every number exact; raw contents share memory with the message where they can. */
export function readInferRequest(message: Buffer): GrpcInferRequest {
  const found = { modelName: '', modelVersion: '', id: '' };
  const parameters = new Map<string, ParameterValue>();
  const heads: InputHead[] = [];
  const outputs: RequestedOutput[] = [];
  const raw: Buffer[] = [];
  const nested = (field: string, list: { readonly length: number }, read: (reader: WireReader) => void) => {
    return (reader: WireReader, wireType: number): void => {
      reader.expect(wireType, wireTypes.bytes, field);
      if (list.length >= MAXIMUM_TENSORS) malformed(`more than ${MAXIMUM_TENSORS} ${field}`);
      read(reader);
    };
  };
  new WireReader(message).readFields({
    1: stringInto('model_name', (text) => (found.modelName = text)),
    2: stringInto('model_version', (text) => (found.modelVersion = text)),
    3: stringInto('id', (text) => (found.id = text)),
    4: (reader, wireType) => readParameter(reader, wireType, parameters),
    5: nested('inputs', heads, (reader) => heads.push(readInput(reader.message()))),
    6: nested('outputs', outputs, (reader) => outputs.push(readOutput(reader.message()))),
    7: nested('raw_input_contents', raw, (reader) => raw.push(reader.bytes())),
  });
  const { modelName, modelVersion, id } = found;
  const request: InferRequest = {
    id: id === '' ? undefined : id,
    parameters,
    inputs: readTensors(heads, raw),
    outputs: outputs.length === 0 ? undefined : outputs,
  };
  return { modelName, modelVersion, form: raw.length > 0 ? 'Raw' : 'Typed', request };
}
