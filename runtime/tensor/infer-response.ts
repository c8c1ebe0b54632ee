import { RequestError } from '../errors.ts';
import type { InferAnswer } from '../inference/inference.ts';
import type { Tensor, TensorData } from './datatype.ts';

/** The shortest text that reads back as the same double; the sign of zero, NaN and the infinities are kept. */
function writeFloat(value: number): string {
  return value === 0 && 1 / value < 0 ? '-0' : String(value);
}

function writeFloats(data: Float32Array | Float64Array): string {
  let text = '';
  for (let index = 0; index < data.length; index++) {
    text += (index === 0 ? '' : ',') + writeFloat(data[index] ?? 0);
  }
  return text;
}

function writeData(datatype: Tensor['datatype'], data: TensorData): string {
  if (data instanceof Float32Array || data instanceof Float64Array) return writeFloats(data);
  if (datatype === 'BOOL')
    return Array.from(data as Uint8Array, (value) => (value === 0 ? 'false' : 'true')).join(',');
  if (Array.isArray(data)) return data.map((text) => JSON.stringify(text)).join(',');
  return data.join(',');
}

function writeOutput(tensor: Tensor): string {
  if (tensor.datatype === 'FP16') {
    throw new RequestError(
      'InvalidTensor',
      `output '${tensor.name}': datatype FP16 has no JSON form in the Open Inference Protocol; ask for it as binary data, or name other outputs`,
    );
  }
  const name = JSON.stringify(tensor.name);
  const data = writeData(tensor.datatype, tensor.data);
  return `{"name":${name},"shape":[${tensor.shape.join(',')}],"datatype":"${tensor.datatype}","data":[${data}]}`;
}

/**
 * The answer as JSON, every number exact: INT64 digit by digit, and NaN, Infinity, -Infinity as bare words, as Triton
 * and Python write them. A client whose JSON reader refuses those words fails loudly; null would become 0 in silence.
 */
export function writeInferAnswer(answer: InferAnswer): string {
  const id = answer.id === undefined ? '' : `"id":${JSON.stringify(answer.id)},`;
  const outputs = answer.outputs.map(writeOutput).join(',');
  return `{"model_name":${JSON.stringify(answer.modelName)},"model_version":"${answer.modelVersion}",${id}"outputs":[${outputs}]}`;
}
