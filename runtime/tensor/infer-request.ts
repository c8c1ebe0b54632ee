import { isUtf8 } from 'node:buffer';
import { RequestError } from '../errors.ts';
import type { InferRequest, Parameters, ParameterValue, RequestedOutput } from '../inference/inference.ts';
import { noParameters } from '../inference/inference.ts';
import { isDatatype, type Datatype, type Tensor, type TensorData } from './datatype.ts';
import { BinaryTail } from './binary-tail.ts';
import { JsonScanner } from './json-scanner.ts';
import { readRaw } from './raw.ts';
import { failTensor, readTensorData } from './tensor-reader.ts';

const MAXIMUM_RANK = 32;
const MAXIMUM_PARAMETERS = 64;
const MAXIMUM_TENSORS = 1024;

export const BFLOAT16_REFUSAL =
  'datatype BF16: ONNX Runtime for Node cannot take bfloat16; convert the model to FP32 and send FP32';
const MAXIMUM_ELEMENTS = 2 ** 31;

interface PartialTensor {
  name?: string;
  datatype?: Datatype;
  shape?: readonly number[];
  data?: TensorData;
  /** Bytes that it has behind the JSON. */
  binarySize?: number | undefined;
  /** Where `data` starts, when it came before what is needed to read it. */
  dataPosition?: number;
}

type CompleteHead = PartialTensor & Pick<Required<PartialTensor>, 'name' | 'datatype' | 'shape'>;

function malformed(message: string): never {
  throw new RequestError('MalformedRequest', message);
}

/** Reads one member's value into what is made of the object. */
type ReadMember<Target> = (scanner: JsonScanner, target: Target) => void;

/** Reads an object's known members, each at most once; unknown members are checked as JSON and left out. */
function readMembers<Target>(
  scanner: JsonScanner,
  expected: string,
  members: ReadonlyMap<string, ReadMember<Target>>,
  target: Target,
): void {
  // A handful at most: an array is searched sooner than a set is made.
  const seen: string[] = [];
  scanner.readObject(expected, (key) => {
    const readMember = members.get(key);
    if (readMember === undefined) {
      scanner.skipValue();
      return;
    }
    if (seen.includes(key)) malformed(`member '${key}' occurs twice in ${expected}`);
    seen.push(key);
    readMember(scanner, target);
  });
}

/** Parameters that are objects or lists mean nothing to the protocol and are left out. */
function readParameters(scanner: JsonScanner): Parameters {
  const parameters = new Map<string, ParameterValue>();
  scanner.readObject("an object in 'parameters'", (key) => {
    const value = scanner.readScalar();
    if (value !== undefined) parameters.set(key, value);
    if (parameters.size > MAXIMUM_PARAMETERS) malformed(`more than ${MAXIMUM_PARAMETERS} parameters`);
  });
  return parameters;
}

function readShape(scanner: JsonScanner): number[] {
  const shape: number[] = [];
  scanner.readArray("an array of sizes in 'shape'", () => {
    const token = scanner.readNumber('a size');
    if (!token.isWhole || token.negative || token.digits > MAXIMUM_ELEMENTS) {
      malformed(
        `'shape' holds '${scanner.quote(token.start, token.end)}': expected whole numbers from 0 to 2^31`,
      );
    }
    if (shape.push(token.digits) > MAXIMUM_RANK)
      malformed(`'shape' has more than ${MAXIMUM_RANK} dimensions`);
  });
  return shape;
}

function readDatatype(scanner: JsonScanner): Datatype {
  const datatype = scanner.readString("a string in 'datatype'");
  if (datatype === 'BF16') malformed(BFLOAT16_REFUSAL);
  if (!isDatatype(datatype)) malformed(`datatype '${datatype.slice(0, 40)}' is not known`);
  return datatype;
}

function hasHead(tensor: PartialTensor): tensor is CompleteHead {
  return tensor.name !== undefined && tensor.datatype !== undefined && tensor.shape !== undefined;
}

function readData(scanner: JsonScanner, tensor: PartialTensor): void {
  if (hasHead(tensor)) {
    tensor.data = readTensorData(scanner, tensor);
    return;
  }
  scanner.peek();
  tensor.dataPosition = scanner.position;
  scanner.skipValue();
}

const inputMembers = new Map<string, ReadMember<PartialTensor>>([
  ['name', (scanner, tensor) => (tensor.name = scanner.readString("a string in 'name'"))],
  ['datatype', (scanner, tensor) => (tensor.datatype = readDatatype(scanner))],
  ['shape', (scanner, tensor) => (tensor.shape = readShape(scanner))],
  ['parameters', (scanner, tensor) => (tensor.binarySize = readBinarySize(readParameters(scanner)))],
  ['data', readData],
]);

function readInput(scanner: JsonScanner, index: number, tail: BinaryTail): Tensor {
  const tensor: PartialTensor = {};
  readMembers(scanner, `inputs[${index}]`, inputMembers, tensor);
  return completeInput(scanner, tensor, index, tail);
}

function readBinarySize(parameters: Parameters): number | undefined {
  const size = parameters.get('binary_data_size');
  if (size === undefined) return undefined;
  if (typeof size === 'number' && Number.isInteger(size) && size >= 0) return size;
  return malformed(`'binary_data_size' is '${String(size).slice(0, 40)}': expected a whole number of bytes`);
}

function completeInput(scanner: JsonScanner, tensor: PartialTensor, index: number, tail: BinaryTail): Tensor {
  if (!hasHead(tensor)) malformed(`inputs[${index}] needs 'name', 'datatype' and 'shape'`);
  const { name, datatype, shape, binarySize } = tensor;
  const hasData = tensor.data !== undefined || tensor.dataPosition !== undefined;
  if (binarySize !== undefined) {
    if (hasData) failTensor(name, "has 'data' and 'binary_data_size': expected one of them");
    return { name, datatype, shape, data: readRaw(tensor, tail.take(name, binarySize)) };
  }
  if (tensor.data !== undefined) return { name, datatype, shape, data: tensor.data };
  if (tensor.dataPosition === undefined) {
    failTensor(name, "'data' is missing: expected an array, or the parameter 'binary_data_size'");
  }
  return { name, datatype, shape, data: readTensorData(scanner.at(tensor.dataPosition), tensor) };
}

interface PartialOutput {
  name?: string;
  parameters?: Parameters;
}

const outputMembers = new Map<string, ReadMember<PartialOutput>>([
  ['name', (scanner, output) => (output.name = scanner.readString("a string in 'name'"))],
  ['parameters', (scanner, output) => (output.parameters = readParameters(scanner))],
]);

function readOutput(scanner: JsonScanner, index: number): RequestedOutput {
  const output: PartialOutput = {};
  readMembers(scanner, `outputs[${index}]`, outputMembers, output);
  const { name = malformed(`outputs[${index}] needs a 'name'`), parameters = noParameters } = output;
  return { name, parameters };
}

interface PartialRequest {
  readonly tail: BinaryTail;
  id?: string;
  parameters?: Parameters;
  inputs?: Tensor[];
  outputs?: RequestedOutput[];
}

function readInputs(scanner: JsonScanner, { tail }: PartialRequest): Tensor[] {
  const inputs: Tensor[] = [];
  scanner.readArray("an array in 'inputs'", (index) => {
    if (index >= MAXIMUM_TENSORS) malformed(`more than ${MAXIMUM_TENSORS} inputs`);
    inputs.push(readInput(scanner, index, tail));
  });
  return inputs;
}

function readOutputs(scanner: JsonScanner): RequestedOutput[] {
  const outputs: RequestedOutput[] = [];
  scanner.readArray("an array in 'outputs'", (index) => outputs.push(readOutput(scanner, index)));
  return outputs;
}

const requestMembers = new Map<string, ReadMember<PartialRequest>>([
  ['id', (scanner, request) => (request.id = scanner.readString("a string in 'id'"))],
  ['parameters', (scanner, request) => (request.parameters = readParameters(scanner))],
  ['inputs', (scanner, request) => (request.inputs = readInputs(scanner, request))],
  ['outputs', (scanner, request) => (request.outputs = readOutputs(scanner))],
]);

/**
 * An infer request of the Open Inference Protocol v2, every number exact. `binary` is what the body has behind its JSON;
 * the tensors in it share its memory.
 */
export function parseInferRequest(json: Buffer, binary?: Buffer): InferRequest {
  if (!isUtf8(json)) malformed('the body is not UTF-8');
  const scanner = new JsonScanner(json);
  const tail = new BinaryTail(binary);
  const request: PartialRequest = { tail };
  readMembers(scanner, 'an infer request (a JSON object)', requestMembers, request);
  scanner.readEnd();
  tail.checkEnd();
  const { id, parameters = noParameters, outputs } = request;
  const inputs = request.inputs ?? malformed("the request has no 'inputs'");
  // Clients that want all outputs may say so by an empty list.
  return { id, parameters, inputs, outputs: outputs?.length === 0 ? undefined : outputs };
}
