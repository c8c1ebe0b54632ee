import { field, numberField, onnxTypes, valueInfo, type Channel } from './onnx-model.ts';

/** Models of a few kilobytes that are not ready for a long time, or never. */

const MATRIX_SIZE = 3000;
const PRODUCTS = 100;
const LARGEST_INT64 = 2n ** 63n - 1n;
/** AttributeProto.GRAPH */
const GRAPH = 5;

const X: Channel = { name: 'x', type: 'FP32', shape: [1, 1] };
const Y: Channel = { ...X, name: 'y' };

function constant(type: Channel['type'], name: string, shape: readonly number[], raw: ArrayBuffer): Buffer {
  const dimensions = shape.map((size) => numberField(1, size));
  return field(5, ...dimensions, numberField(2, onnxTypes[type]), field(8, name), field(9, Buffer.from(raw)));
}

function node(operator: string, inputs: readonly string[], output: string, ...attributes: Buffer[]): Buffer {
  const names = inputs.map((name) => field(1, name));
  return field(1, ...names, field(2, output), field(4, operator), ...attributes);
}

function modelOf(...parts: Buffer[]): Buffer {
  const graph = field(
    7,
    ...parts,
    field(2, 'late'),
    field(11, valueInfo('x', X)),
    field(12, valueInfo('y', Y)),
  );
  return Buffer.concat([numberField(1, 9), graph, field(8, numberField(2, 18))]);
}

/** Takes more than a minute to load: what depends on no input is worked out while the graph is optimised. */
export function buildSlowToLoadModel(): Buffer {
  const size = BigInt(MATRIX_SIZE);
  const products = Array.from({ length: PRODUCTS }, (_, index) =>
    node('MatMul', [`power_${index}`, 'power_0'], `power_${index + 1}`),
  );
  return modelOf(
    node('ConstantOfShape', ['size'], 'power_0'),
    ...products,
    node('ReduceMax', [`power_${PRODUCTS}`], 'largest'),
    node('Add', ['x', 'largest'], 'y'),
    constant('INT64', 'size', [2], BigInt64Array.of(size, size).buffer),
  );
}

/** Loads at once, and its first run never ends: a loop whose condition stays true. */
export function buildNeverEndingModel(): Buffer {
  const number: Channel = { name: 'round', type: 'INT64', shape: [] };
  const flag: Channel = { name: 'goes_on', type: 'BOOL', shape: [] };
  const body = field(
    6,
    node('Identity', ['goes_on'], 'still_goes_on'),
    node('Identity', ['value'], 'next_value'),
    field(2, 'round'),
    field(11, valueInfo(number.name, number)),
    field(11, valueInfo(flag.name, flag)),
    field(11, valueInfo('value', X)),
    field(12, valueInfo('still_goes_on', flag)),
    field(12, valueInfo('next_value', X)),
  );
  return modelOf(
    node('Loop', ['rounds', 'yes', 'x'], 'y', field(5, field(1, 'body'), body, numberField(20, GRAPH))),
    constant('INT64', 'rounds', [], BigInt64Array.of(LARGEST_INT64).buffer),
    constant('BOOL', 'yes', [], Uint8Array.of(1).buffer),
  );
}
