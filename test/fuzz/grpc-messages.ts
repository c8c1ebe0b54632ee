import { deflateSync, gzipSync } from 'node:zlib';
import { WireWriter } from '../../runtime/protobuf/wire-writer.ts';
import { readSampleRow } from '../support/example-models.ts';
import type { Dice } from '../support/dice.ts';
import { mutateBytes } from './bytes.ts';

/** One call as it goes out: what is in front of the message may lie about it. */
export interface GrpcShot {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const INFERENCE = '/inference.GRPCInferenceService/';
const row = Buffer.from(Float32Array.from(readSampleRow()).buffer);
const otherMethods = [
  ...['ServerLive', 'ServerReady', 'ModelReady', 'ServerMetadata', 'ModelMetadata', 'ModelConfig'],
  ...[
    'ModelStatistics',
    'RepositoryIndex',
    'RepositoryModelLoad',
    'TraceSetting',
    'Nothing',
    'ModelStreamInfer',
  ],
];
const names = ['X', '', 'Y', 'tumour', '\0', 'é'.repeat(200), 'label', 'probabilities'];
const datatypes = ['FP32', 'FP16', 'BF16', 'BYTES', 'BOOL', 'INT8', 'INT64', 'UINT64', 'FP64', 'fp32', ''];
const sizes = [0, 1, 2, 30, 31, 2 ** 31, 2 ** 32, 2 ** 53 - 1, -1, -30];
const lists = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const parameterNames = ['timeout', 'classification', 'readable', 'shared_memory_region', 'priority', 'x'];
const timeouts = ['1n', '1m', '5S', '99999999H', '', '1', '-1S', '9'.repeat(30)];

/** Mostly what is right, so that what is wrong comes one or two at a time. */
function usually<Value>(dice: Dice, right: Value, others: readonly Value[]): Value {
  return dice.below(8) > 0 ? right : (dice.pick(others) ?? right);
}

function writeParameters(writer: WireWriter, field: number, dice: Dice): void {
  for (let left = usually(dice, 0, [1, 3, 65]); left > 0; left--)
    writer.message(field, (entry) =>
      entry.string(1, dice.pick(parameterNames) ?? '').message(2, (value) => {
        const number = dice.pick([0n, 1n, -1n, 2n ** 63n - 1n, 2n ** 64n - 1n]) ?? 0n;
        if (dice.below(3) > 0) value.presentInt64(dice.pick([1, 2, 5]) ?? 2, number);
        else if (dice.below(2) === 0) value.double(4, dice.pick([NaN, 0, -1, 1e308]) ?? 0);
        else value.string(3, dice.pick(names) ?? '');
      }),
    );
}

function writeContents(writer: WireWriter, dice: Dice): void {
  const field = usually(dice, 6, lists);
  if (field === 6) writer.bytes(6, usually(dice, row, [Buffer.alloc(0), row.subarray(1), Buffer.alloc(8)]));
  else if (field === 8) writer.strings(8, ['a', 'é', '\0']);
  else writer.packed(field, [0, 1, -1, 2n ** 63n - 1n]);
}

function writeInput(writer: WireWriter, isRaw: boolean, dice: Dice): void {
  writer.string(1, usually(dice, 'X', names)).string(2, usually(dice, 'FP32', datatypes));
  const shape = usually(dice, [1, 30], [[], [30], [1, 1, 30], Array<number>(33).fill(1)]);
  writer.packed(
    3,
    shape.map((size) => usually(dice, size, sizes)),
  );
  writeParameters(writer, 4, dice);
  if (usually(dice, !isRaw, [isRaw])) writer.message(5, (contents) => writeContents(contents, dice));
}

function inferMessage(dice: Dice): Buffer {
  const isRaw = dice.below(2) === 0;
  const writer = new WireWriter().string(1, usually(dice, 'tumour', names));
  writer.string(2, usually(dice, '', ['1', '2', 'é'])).string(3, usually(dice, 'id', names));
  writeParameters(writer, 4, dice);
  for (let left = usually(dice, 1, [0, 2, 1025]); left > 0; left--)
    writer.message(5, (input) => writeInput(input, isRaw, dice));
  for (let left = usually(dice, 0, [1, 2, 1025]); left > 0; left--)
    writer.message(6, (output) => {
      output.string(1, usually(dice, 'label', names));
      writeParameters(output, 2, dice);
    });
  for (let left = isRaw ? usually(dice, 1, [0, 2]) : usually(dice, 0, [1]); left > 0; left--)
    writer.bytes(7, usually(dice, row, [Buffer.alloc(0), row.subarray(3), Buffer.alloc(120, 0xff)]));
  return usually<(bytes: Buffer) => Buffer>(dice, (bytes) => bytes, [(bytes) => mutateBytes(bytes, dice)])(
    writer.finish(),
  );
}

/** The five bytes in front, which say the truth most of the time. */
function frameOf(message: Buffer, dice: Dice): { body: Buffer; headers: Record<string, string> } {
  const folds = { gzip: gzipSync, deflate: deflateSync, identity: (bytes: Buffer): Buffer => bytes };
  const encoding = usually<keyof typeof folds>(dice, 'identity', ['gzip', 'deflate']);
  const folded = usually(dice, folds[encoding](message), [message, message.subarray(0, 3)]);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(usually(dice, encoding === 'identity' ? 0 : 1, [0, 1, 2, 255]), 0);
  prefix.writeUInt32BE(usually(dice, folded.length, [0, 1, folded.length + 1, 2 ** 26, 2 ** 32 - 1]), 1);
  const whole = Buffer.concat([prefix, folded]);
  const body = usually(dice, whole, [
    whole.subarray(0, 4),
    Buffer.concat([whole, whole]),
    mutateBytes(whole, dice),
  ]);
  const named = usually<string>(dice, encoding, ['identity', 'gzip', 'snappy', '']);
  return { body, headers: named === 'identity' ? {} : { 'grpc-encoding': named } };
}

export function shootGrpc(dice: Dice): GrpcShot {
  const isInference = dice.below(4) > 0;
  const method = isInference ? 'ModelInfer' : (dice.pick(otherMethods) ?? '');
  const message = usually(dice, isInference, [!isInference])
    ? inferMessage(dice)
    : new WireWriter()
        .string(1, usually(dice, 'tumour', names))
        .string(2, dice.pick(['', '1', '2']) ?? '')
        .finish();
  const { body, headers } = frameOf(message, dice);
  const timeout = usually<string | undefined>(dice, undefined, timeouts);
  return {
    path: usually(dice, INFERENCE + method, [
      '/',
      `/${method}`,
      '/grpc.health.v1.Health/Check',
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      `${INFERENCE}é`,
    ]),
    headers: {
      'content-type': usually(dice, 'application/grpc', ['application/grpc+proto', 'text/plain', '']),
      ...headers,
      ...(timeout !== undefined && { 'grpc-timeout': timeout }),
    },
    body,
  };
}
