import { describe, expect, it } from 'vitest';
import { writeInferAnswer } from '../../../../runtime/grpc/messages/infer-answer.ts';
import { WireReader } from '../../../../runtime/protobuf/wire-reader.ts';
import type { Tensor } from '../../../../runtime/tensor/datatype.ts';

const whole: Tensor = { name: 'a', datatype: 'INT8', shape: [1], data: Int8Array.of(7) };
const half: Tensor = { name: 'b', datatype: 'FP16', shape: [1], data: Uint16Array.of(0x3c00) };

function rawContents(message: Buffer): Buffer[] {
  const found: Buffer[] = [];
  new WireReader(message).readFields({ 6: (reader) => found.push(reader.bytes()) });
  return found;
}

describe('a ModelInferResponse', () => {
  it.each([
    ['typed to who sent typed contents', 'Typed' as const, [whole], []],
    ['raw to who sent raw contents', 'Raw' as const, [whole], [Buffer.from([7])]],
    [
      'raw to everybody when an output is FP16, which has no typed form',
      'Typed' as const,
      [whole, half],
      [Buffer.from([7]), Buffer.from([0x00, 0x3c])],
    ],
  ])('is %s', (_what, form, outputs, expected) => {
    const answer = { modelName: 'm', modelVersion: '1', id: undefined, outputs, predictions: undefined };
    expect(rawContents(Buffer.concat(writeInferAnswer(answer, form)))).toEqual(expected);
  });
});
