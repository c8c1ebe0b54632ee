import { field, numberField, onnxTypes, valueInfo } from './onnx-model.ts';

/**
 * A model with real work for each row and few numbers in and out: 30 features become an image of 30 channels, which a
 * convolution of 3 by 3 turns into the means of 64. On a CPU, a batch of two takes twice as long as one.
 */

const FEATURES = 30;
const CHANNELS = 64;
const KERNEL = 3;

interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: readonly Buffer[];
}

function node({ operator, inputs, output, attributes = [] }: Node): Buffer {
  const fields = [...inputs.map((name) => field(1, name)), field(2, output), field(4, operator)];
  return field(1, ...fields, ...attributes.map((attribute) => field(5, attribute)));
}

/** An AttributeProto that is a list of whole numbers (type 7). */
function numbersAttribute(name: string, values: readonly number[]): Buffer {
  return Buffer.concat([field(1, name), ...values.map((value) => numberField(8, value)), numberField(20, 7)]);
}

function initializer(name: string, sizes: readonly number[], data: Float32Array | BigInt64Array): Buffer {
  const type = data instanceof Float32Array ? onnxTypes.FP32 : onnxTypes.INT64;
  const dimensions = sizes.map((size) => numberField(1, size));
  const raw = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return field(5, ...dimensions, numberField(2, type), field(8, name), field(9, raw));
}

/** Numbers between -0.5 and 0.5, the same every time. */
function pattern(length: number): Float32Array {
  return Float32Array.from({ length }, (_, index) => ((index * 7919) % 101) / 101 - 0.5);
}

/** `imageSize`: side of the image; the work grows with its square. */
export function buildConvolutionModel(imageSize: number): Buffer {
  const image = [1, FEATURES, imageSize, imageSize];
  const kernel = [CHANNELS, FEATURES, KERNEL, KERNEL];
  const graph = field(
    7,
    node({ operator: 'Unsqueeze', inputs: ['X', 'axes'], output: 'pixels' }),
    node({ operator: 'Mul', inputs: ['pixels', 'image'], output: 'images' }),
    node({
      ...{ operator: 'Conv', inputs: ['images', 'kernel'], output: 'convolved' },
      attributes: [numbersAttribute('pads', [1, 1, 1, 1])],
    }),
    node({ operator: 'GlobalAveragePool', inputs: ['convolved'], output: 'pooled' }),
    node({ operator: 'Flatten', inputs: ['pooled'], output: 'means' }),
    field(2, 'convolution'),
    initializer('axes', [2], BigInt64Array.of(2n, 3n)),
    initializer('image', image, pattern(image.reduce((product, size) => product * size))),
    initializer('kernel', kernel, pattern(kernel.reduce((product, size) => product * size))),
    field(11, valueInfo('X', { type: 'FP32', shape: ['n', FEATURES] })),
    field(12, valueInfo('means', { type: 'FP32', shape: ['n', CHANNELS] })),
  );
  return Buffer.concat([numberField(1, 9), graph, field(8, numberField(2, 18))]);
}
