/** Writes tiny ONNX models: each input goes through an operator, Identity unless told otherwise, to an output of its own. */

/** Numbers of TensorProto.DataType. */
export const onnxTypes = {
  FP32: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  BYTES: 8,
  BOOL: 9,
  FP16: 10,
  FP64: 11,
  UINT32: 12,
  UINT64: 13,
  BF16: 16,
} as const;

export interface Channel {
  /** The input is called so, the output has `_out` behind it. */
  readonly name: string;
  readonly type: keyof typeof onnxTypes;
  /** A size, or the name of a dimension that changes. */
  readonly shape: readonly (number | string)[];
  readonly operator?: string;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

/** A field of a protobuf message that holds a whole number. */
export function numberField(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

/** A field of a protobuf message that holds bytes, text or another message. */
export function field(number: number, ...content: (Buffer | string)[]): Buffer {
  const bytes = Buffer.concat(content.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** A ValueInfoProto. */
export function valueInfo(name: string, { type, shape }: Pick<Channel, 'type' | 'shape'>): Buffer {
  const dimensions = shape.map((size) =>
    field(1, typeof size === 'number' ? numberField(1, size) : field(2, size)),
  );
  const tensorType = field(1, numberField(1, onnxTypes[type]), field(2, ...dimensions));
  return Buffer.concat([field(1, name), field(2, tensorType)]);
}

/** A weight that does not lie in the model's own file. */
export interface ExternalWeight {
  readonly name: string;
  readonly elements: number;
  /** Of the file, as the model gives it. */
  readonly location: string;
}

/** A TensorProto of FP32 with `data_location` EXTERNAL. */
function externalTensor({ name, elements, location }: ExternalWeight): Buffer {
  const entry = field(13, field(1, 'location'), field(2, location));
  return Buffer.concat([
    numberField(1, elements),
    numberField(2, onnxTypes.FP32),
    field(8, name),
    entry,
    numberField(14, 1),
  ]);
}

/** Answers a weight from another file, as an output of its name with `_out` behind it. */
export function buildExternalModel(weight: ExternalWeight): Buffer {
  const output: Channel = { name: `${weight.name}_out`, type: 'FP32', shape: [weight.elements] };
  const input: Channel = { name: 'x', type: 'FP32', shape: [1] };
  const graph = field(
    7,
    field(1, field(1, weight.name), field(2, output.name), field(4, 'Identity')),
    field(2, 'test'),
    field(5, externalTensor(weight)),
    field(11, valueInfo(input.name, input)),
    field(12, valueInfo(output.name, output)),
  );
  return Buffer.concat([numberField(1, 9), graph, field(8, numberField(2, 18))]);
}

export function buildOnnxModel(channels: readonly Channel[]): Buffer {
  const nodes = channels.map(({ name, operator = 'Identity' }) =>
    field(1, field(1, name), field(2, `${name}_out`), field(4, operator)),
  );
  const inputs = channels.map((channel) => field(11, valueInfo(channel.name, channel)));
  const outputs = channels.map((channel) => field(12, valueInfo(`${channel.name}_out`, channel)));
  const graph = field(7, ...nodes, field(2, 'test'), ...inputs, ...outputs);
  return Buffer.concat([numberField(1, 9), graph, field(8, numberField(2, 18))]);
}
