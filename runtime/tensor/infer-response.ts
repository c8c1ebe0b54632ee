import type { Pieces } from '../body/pieces.ts';
import { RequestError } from '../errors.ts';
import type { InferAnswer } from '../inference/inference.ts';
import { shapeText, type Tensor, type TensorData } from './datatype.ts';
import { writeRaw } from './raw.ts';
import { writeSingles, writeSinglesAsBytes } from './single-text.ts';

/** The shortest text that reads back as the same double; the sign of zero, NaN and the infinities are kept. */
function writeDouble(value: number): string {
  return value === 0 && 1 / value < 0 ? '-0' : String(value);
}

function writeDoubles(data: Float64Array): string {
  let text = '';
  for (let index = 0; index < data.length; index++) {
    text += (index === 0 ? '' : ',') + writeDouble(data[index] ?? 0);
  }
  return text;
}

/** The values with commas between them; NaN and the infinities as bare words, which JSON does not have. */
export function writeValues(datatype: Tensor['datatype'], data: TensorData): string {
  if (data instanceof Float32Array) return writeSingles(data);
  if (data instanceof Float64Array) return writeDoubles(data);
  if (datatype === 'BOOL')
    return Array.from(data as Uint8Array, (value) => (value === 0 ? 'false' : 'true')).join(',');
  if (Array.isArray(data)) return data.map((text) => JSON.stringify(text)).join(',');
  return data.join(',');
}

/** From here on numbers go out as bytes: as a long string they would be copied four times on their way to the socket. */
const FEWEST_SINGLES_AS_BYTES = 1024;

/** The answer's JSON, and the tensors that go behind it as bytes. */
export interface EncodedAnswer {
  readonly json: Pieces;
  readonly binary: readonly Buffer[];
}

/** Throws RequestError. */
export function refuseHalf(name: string): never {
  throw new RequestError(
    'InvalidTensor',
    `output '${name}': datatype FP16 has no JSON form in the Open Inference Protocol; ask for it as binary data, or name other outputs`,
  );
}

/** Text that is joined while it comes, with bytes in between. */
class JsonPieces {
  readonly #pieces: (string | Buffer)[] = [];
  #text = '';

  text(more: string): void {
    this.#text += more;
  }

  bytes(pieces: readonly Buffer[]): void {
    this.#pieces.push(this.#text, ...pieces);
    this.#text = '';
  }

  end(): Pieces {
    return [...this.#pieces, this.#text];
  }
}

/** What stands before the values of a tensor in JSON. */
export function writeHead({ name, datatype, shape }: Tensor): string {
  return `"name":${JSON.stringify(name)},"shape":[${shapeText(shape)}],"datatype":"${datatype}"`;
}

function writeData(tensor: Tensor, json: JsonPieces): void {
  const { name, datatype, data } = tensor;
  if (datatype === 'FP16') refuseHalf(name);
  json.text(`{${writeHead(tensor)},"data":[`);
  if (data instanceof Float32Array && data.length >= FEWEST_SINGLES_AS_BYTES)
    json.bytes(writeSinglesAsBytes(data));
  else json.text(writeValues(datatype, data));
  json.text(']}');
}

/**
 * The answer as JSON, every number exact: INT64 digit by digit, and NaN, Infinity, -Infinity as bare words, as Triton
 * and Python write them. A client whose JSON reader refuses those words fails loudly; null would become 0 in silence.
 * Outputs that `isBinary` names are left to the bytes behind the JSON.
 */
export function encodeInferAnswer(
  answer: InferAnswer,
  isBinary: (outputName: string) => boolean = () => false,
): EncodedAnswer {
  const id = answer.id === undefined ? '' : `"id":${JSON.stringify(answer.id)},`;
  const predictions =
    answer.predictions === undefined ? '' : `,"predictions":${JSON.stringify(answer.predictions)}`;
  const binary: Buffer[] = [];
  const json = new JsonPieces();
  json.text(
    `{"model_name":${JSON.stringify(answer.modelName)},"model_version":"${answer.modelVersion}",${id}"outputs":[`,
  );
  for (const [index, tensor] of answer.outputs.entries()) {
    if (index > 0) json.text(',');
    if (!isBinary(tensor.name)) {
      writeData(tensor, json);
      continue;
    }
    const bytes = writeRaw(tensor);
    binary.push(bytes);
    json.text(`{${writeHead(tensor)},"parameters":{"binary_data_size":${bytes.length}}}`);
  }
  json.text(`]${predictions}}`);
  return { json: json.end(), binary };
}
