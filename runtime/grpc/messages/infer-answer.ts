import type { InferAnswer } from '../../inference/inference.ts';
import { writeRaw } from '../../tensor/raw.ts';
import { WireWriter } from '../../protobuf/wire-writer.ts';
import type { Form } from './infer-request.ts';
import { writeContents } from './tensor-contents.ts';

/** An entry of the answer's map<string, InferParameter>. */
function writeText(writer: WireWriter, key: string, text: string): void {
  writer.message(4, (entry) => entry.string(1, key).message(2, (value) => value.bytes(3, Buffer.from(text))));
}

/**
 * A ModelInferResponse, in pieces: raw contents share memory with the tensors. Clients that send typed contents read typed
 * contents, those that send raw ones read raw ones; a message has all of its tensors in one form, so one FP16 output makes
 * all of them raw.
 */
export function writeInferAnswer(answer: InferAnswer, form: Form): readonly Buffer[] {
  const { modelName, modelVersion, id = '', outputs, predictions } = answer;
  const contents = form === 'Raw' ? [] : outputs.map(writeContents);
  const isTyped = form === 'Typed' && contents.every((write) => write !== undefined);
  const writer = new WireWriter().string(1, modelName).string(2, modelVersion).string(3, id);
  // The protocol has no field for them: JSON in a parameter, as the same predictions are in an answer over HTTP.
  if (predictions !== undefined) writeText(writer, 'predictions', JSON.stringify(predictions));
  for (const [index, { name, datatype, shape }] of outputs.entries()) {
    writer.message(5, (output) => {
      output.string(1, name).string(2, datatype).packed(3, shape);
      const write = contents[index];
      if (isTyped && write !== undefined) output.message(5, write);
    });
  }
  if (!isTyped) for (const output of outputs) writer.shared(6, writeRaw(output));
  return writer.finishPieces();
}

/** A ModelStreamInferResponse: an answer, or why there is none to the request of this id. */
export function writeStreamAnswer(answer: readonly Buffer[]): Buffer {
  return new WireWriter().bytes(2, Buffer.concat(answer)).finish();
}

export function writeStreamError(message: string, id: string): Buffer {
  return new WireWriter()
    .string(1, message)
    .message(2, (answer) => answer.string(3, id))
    .finish();
}
