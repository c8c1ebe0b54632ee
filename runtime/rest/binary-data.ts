import { RequestError } from '../errors.ts';
import type { InferRequest } from '../inference/inference.ts';
import { countElements, numericConstructor, type ModelSignature } from '../tensor/datatype.ts';
import { refuseHalf } from '../tensor/infer-response.ts';
import { readRaw } from '../tensor/raw.ts';

/**
 * The binary tensor data extension: how long the JSON at the start of a body is, which outputs go behind the JSON of the
 * answer, and bodies that are one tensor and nothing else.
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */

export const HEADER_LENGTH = 'inference-header-content-length';

/** Bytes of JSON, or undefined when the whole body is JSON. */
export function readHeaderLength(value: string | undefined, bodyBytes: number): number | undefined {
  if (value === undefined) return undefined;
  const length = Number(value);
  if (/^[0-9]{1,15}$/u.test(value) && length <= bodyBytes) return length;
  throw new RequestError(
    'MalformedRequest',
    `header ${HEADER_LENGTH} is '${value.slice(0, 40)}': expected a whole number of bytes, at most the ${bodyBytes} of the body`,
  );
}

/** An output's own `binary_data` goes before the request's `binary_data_output`. */
export function binaryOutputs({ parameters, outputs = [] }: InferRequest): (outputName: string) => boolean {
  const byDefault = parameters.get('binary_data_output') === true;
  return (outputName) => {
    const own = outputs.find(({ name }) => name === outputName)?.parameters.get('binary_data');
    return typeof own === 'boolean' ? own : byDefault;
  };
}

/** Throws RequestError for outputs that JSON cannot hold, before the model has worked for them in vain. */
export function checkOutputForms(request: InferRequest, { outputs }: ModelSignature): void {
  for (const { name, datatype } of outputs) {
    if (datatype !== 'FP16' || binaryOutputs(request)(name)) continue;
    const isWanted = request.outputs === undefined || request.outputs.some((output) => output.name === name);
    if (isWanted) refuseHalf(name);
  }
}

function isOpen(size: number | string): boolean {
  return typeof size === 'string' || size < 0;
}

function refuse(problem: string): never {
  throw new RequestError('InvalidTensor', `the body is one raw tensor: ${problem}`);
}

/**
 * A body without any JSON: the bytes of the model's only input, in a batch of one. At most one dimension besides the
 * batch may be open; the length of the body tells it. All outputs come back as binary data.
 */
export function rawRequest(body: Buffer, { inputs }: ModelSignature): InferRequest {
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) refuse(`expected a model of one input, got ${inputs.length}`);
  const { name, datatype } = input;
  const shape = input.shape.map((size, index) => (index === 0 && isOpen(size) ? 1 : size));
  const parameters = new Map([['binary_data_output', true]]);
  const requestOf = (sizes: readonly number[], bytes: Buffer): InferRequest => {
    const tensor = { name, datatype, shape: sizes };
    const data = readRaw(tensor, bytes);
    return { id: undefined, parameters, inputs: [{ ...tensor, data }], outputs: undefined };
  };
  if (datatype === 'BYTES') {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.length);
    return requestOf(
      shape.map((size) => (typeof size === 'number' && size > 0 ? size : 1)),
      Buffer.concat([length, body]),
    );
  }
  return requestOf(closeShape(shape, body.length / numericConstructor(datatype).BYTES_PER_ELEMENT), body);
}

function closeShape(shape: readonly (number | string)[], elementCount: number): number[] {
  const open = shape.filter(isOpen);
  if (open.length > 1)
    refuse(`expected at most one open dimension besides the batch, got [${shape.join(',')}]`);
  const known = countElements(shape.filter((size): size is number => !isOpen(size)));
  return shape.map((size) => (isOpen(size) ? Math.floor(elementCount / known) : Number(size)));
}
