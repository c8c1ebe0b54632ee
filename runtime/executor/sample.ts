import {
  countElements,
  numericConstructor,
  type ModelSignature,
  type Tensor,
  type TensorData,
  type TensorSpecification,
} from '../tensor/datatype.ts';
import type { InferWork } from '../tensor/validate.ts';

/** The number one as the 16 bits of an FP16. */
const HALF_ONE = 0x3c00;

function fill(datatype: Tensor['datatype'], elementCount: number, value: 0 | 1): TensorData {
  if (datatype === 'BYTES') return new Array<string>(elementCount).fill(value === 0 ? '' : '1');
  const data = new (numericConstructor(datatype))(elementCount);
  if (value === 0) return data;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return data.fill(1n);
  return data.fill(datatype === 'FP16' ? HALF_ONE : 1);
}

function sampleTensor({ name, datatype, shape: declared }: TensorSpecification, value: 0 | 1): Tensor {
  const shape = declared.map((dimension) =>
    typeof dimension === 'number' && dimension >= 0 ? dimension : 1,
  );
  return { name, datatype, shape, data: fill(datatype, countElements(shape), value) };
}

/** A request of nothing but zeros, or ones, for all outputs; changing dimensions are 1. */
export function sampleWork({ inputs, outputs }: ModelSignature, value: 0 | 1): InferWork {
  return {
    inputs: inputs.map((specification) => sampleTensor(specification, value)),
    outputNames: outputs.map(({ name }) => name),
  };
}
