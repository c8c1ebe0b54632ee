import { RequestError } from '../../errors.ts';
import {
  noParameters,
  type InferRequest,
  type ParameterValue,
  type RequestedOutput,
} from '../../inference/inference.ts';
import { isDatatype, type Datatype, type Tensor } from '../../tensor/datatype.ts';
import { readRaw } from '../../tensor/raw.ts';
import { wireTypes, WireReader, type FieldReaders } from '../../protobuf/wire-reader.ts';
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

type Parameters = Map<string, ParameterValue>;

interface PartialInput {
  name: string;
  datatype: string;
  readonly shape: number[];
  parameters?: Parameters;
  readonly pieces: Buffer[];
}

const inputFields: FieldReaders<PartialInput> = {
  1: (reader, wireType, input) => (input.name = reader.text(wireType, 'the name of a tensor')),
  2: (reader, wireType, input) => (input.datatype = reader.text(wireType, 'datatype')),
  3: (reader, wireType, { shape }) => readSizes(reader, wireType, shape),
  4: (reader, wireType, input) => readParameter(reader, wireType, (input.parameters ??= new Map())),
  5: (reader, wireType, { pieces }) => {
    reader.expect(wireType, wireTypes.bytes, 'contents');
    pieces.push(reader.bytes());
  },
};

function readInput(message: WireReader): InputHead {
  const input: PartialInput = { name: '', datatype: '', shape: [], pieces: [] };
  message.readFieldsInto(input, inputFields);
  const { name, datatype, shape, parameters, pieces } = input;
  if (parameters !== undefined) refuseSharedMemory(name, parameters);
  return { name, datatype: asDatatype(name, datatype), shape, pieces };
}

interface PartialOutput {
  name: string;
  parameters?: Parameters;
}

const outputFields: FieldReaders<PartialOutput> = {
  1: (reader, wireType, output) => (output.name = reader.text(wireType, 'the name of an output')),
  2: (reader, wireType, output) => readParameter(reader, wireType, (output.parameters ??= new Map())),
};

function readOutput(message: WireReader): RequestedOutput {
  const output: PartialOutput = { name: '' };
  message.readFieldsInto(output, outputFields);
  const { name, parameters = noParameters } = output;
  return { name, parameters };
}

function readTensor({ name, datatype, shape, pieces }: InputHead, raw: Buffer | undefined): Tensor {
  const head = { name, datatype, shape };
  if (raw === undefined) return { name, datatype, shape, data: readContents(head, pieces) };
  if (pieces.some(({ length }) => length > 0))
    malformed(
      `tensor '${name}': its values came in contents and in raw_input_contents; send one of them, alike for all inputs`,
    );
  return { name, datatype, shape, data: readRaw(head, raw) };
}

function readTensors(heads: readonly InputHead[], raw: readonly Buffer[]): Tensor[] {
  if (raw.length > 0 && raw.length !== heads.length)
    malformed(`expected ${heads.length} raw_input_contents, one for each input, got ${raw.length}`);
  return heads.map((head, index) => readTensor(head, raw[index]));
}

interface PartialRequest {
  modelName: string;
  modelVersion: string;
  id: string;
  parameters?: Parameters;
  readonly heads: InputHead[];
  readonly outputs: RequestedOutput[];
  readonly raw: Buffer[];
}

/** Pre: before another element of a list is read. */
function expectAnother(
  reader: WireReader,
  wireType: number,
  field: string,
  list: { readonly length: number },
): void {
  reader.expect(wireType, wireTypes.bytes, field);
  if (list.length >= MAXIMUM_TENSORS) malformed(`more than ${MAXIMUM_TENSORS} ${field}`);
}

const requestFields: FieldReaders<PartialRequest> = {
  1: (reader, wireType, request) => (request.modelName = reader.text(wireType, 'model_name')),
  2: (reader, wireType, request) => (request.modelVersion = reader.text(wireType, 'model_version')),
  3: (reader, wireType, request) => (request.id = reader.text(wireType, 'id')),
  4: (reader, wireType, request) => readParameter(reader, wireType, (request.parameters ??= new Map())),
  5: (reader, wireType, { heads }) => {
    expectAnother(reader, wireType, 'inputs', heads);
    heads.push(readInput(reader.message()));
  },
  6: (reader, wireType, { outputs }) => {
    expectAnother(reader, wireType, 'outputs', outputs);
    outputs.push(readOutput(reader.message()));
  },
  7: (reader, wireType, { raw }) => {
    expectAnother(reader, wireType, 'raw_input_contents', raw);
    raw.push(reader.bytes());
  },
};

/** A ModelInferRequest, every number exact; raw contents share memory with the message where they can. */
export function readInferRequest(message: Buffer): GrpcInferRequest {
  const found: PartialRequest = { modelName: '', modelVersion: '', id: '', heads: [], outputs: [], raw: [] };
  new WireReader(message).readFieldsInto(found, requestFields);
  const { modelName, modelVersion, id, parameters = noParameters, heads, outputs, raw } = found;
  const request: InferRequest = {
    id: id === '' ? undefined : id,
    parameters,
    inputs: readTensors(heads, raw),
    outputs: outputs.length === 0 ? undefined : outputs,
  };
  return { modelName, modelVersion, form: raw.length > 0 ? 'Raw' : 'Typed', request };
}
