import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { gzipSync } from 'node:zlib';
import { WireWriter } from '../../runtime/protobuf/wire-writer.ts';
import { writeFrame } from '../../runtime/grpc/transport/frames.ts';
import { Dice } from '../support/dice.ts';
import { readSampleRow } from '../support/example-models.ts';
import { mutateBytes, replaceBytes } from './bytes.ts';
import { shootGrpc, type GrpcShot } from './grpc-messages.ts';

export interface GrpcFuzzOptions {
  readonly port: number;
  readonly seed: number;
  readonly requests: number;
  readonly connections: number;
  /** Undefined: whatever the dice make of a call. */
  readonly always?: GrpcShot;
}

export interface GrpcFuzzReport {
  /** How often each status came. */
  readonly statuses: Readonly<Record<string, number>>;
  /** What no client may ever see, with the request that brought it about. */
  readonly faults: readonly string[];
}

const SERVICE = '/inference.GRPCInferenceService';
const methods = [
  ...['ServerLive', 'ServerReady', 'ModelReady', 'ServerMetadata', 'ModelMetadata', 'ModelConfig'],
  ...['ModelStatistics', 'RepositoryIndex', 'RepositoryModelLoad', 'SystemSharedMemoryStatus', 'Nothing'],
];
const headerValues: readonly (readonly [string, string])[] = [
  ...['1n', '0m', '99999999S', 'x', '-1m', ''].map((value) => ['grpc-timeout', value] as const),
  ...['identity', 'gzip', 'deflate', 'br', ''].map((value) => ['grpc-encoding', value] as const),
  ['grpc-accept-encoding', 'gzip'],
  ['content-type', 'application/json'],
  ['content-type', 'application/grpc+json'],
  ['x-headgate-destination', 'elsewhere'],
];
/** OK, and what a client can be at fault for; DEADLINE_EXCEEDED and RESOURCE_EXHAUSTED are its short times. */
const rightful: ReadonlySet<string> = new Set(['0', '3', '4', '5', '7', '8', '9', '11', '12']);
const MOST_FAULTS = 20;
const PATIENCE_MS = 10_000;

function rawMessage(): Buffer {
  return new WireWriter()
    .string(1, 'tumour')
    .message(5, (input) => input.string(1, 'X').string(2, 'FP32').packed(3, [1, 30]))
    .bytes(7, Buffer.from(Float32Array.from(readSampleRow()).buffer))
    .finish();
}

/** Typed contents, a requested output and parameters besides. */
function typedMessage(): Buffer {
  const contents = Buffer.from(Float32Array.from(readSampleRow()).buffer);
  return new WireWriter()
    .string(1, 'tumour')
    .string(3, 'id-1')
    .message(5, (input) =>
      input
        .string(1, 'X')
        .string(2, 'FP32')
        .packed(3, [1, 30])
        .message(5, (typed) => typed.bytes(6, contents)),
    )
    .message(6, (output) => output.string(1, 'label'))
    .finish();
}

/** A call that is right. */
export const wellFormedCall: GrpcShot = {
  path: `${SERVICE}/ModelInfer`,
  headers: {},
  body: writeFrame(rawMessage(), false),
};

/** Makes calls that are almost right: their messages, their frames, their headers. */
class GrpcMutator {
  readonly #dice: Dice;
  readonly #messages = [rawMessage(), typedMessage()];

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  next(): GrpcShot {
    const dice = this.#dice;
    // Well-formed messages with wrong values get further than those whose bytes are wrong.
    if (dice.below(2) === 0) return shootGrpc(dice);
    const message = dice.pick(this.#messages) ?? Buffer.alloc(0);
    const mutated = dice.pick([replaceBytes, mutateBytes])?.(message, dice) ?? message;
    const isElsewhere = dice.below(8) === 0;
    const path = `${SERVICE}/${isElsewhere ? (dice.pick(methods) ?? '') : 'ModelInfer'}`;
    const [name, value] = dice.pick(headerValues) ?? ['', ''];
    const headers = dice.below(6) === 0 ? { [name]: value } : {};
    const framed = writeFrame(mutated, false);
    const body = dice.pick([
      framed,
      framed,
      framed,
      mutateBytes(framed, dice),
      writeFrame(gzipSync(mutated), true),
      Buffer.concat([framed, framed]),
      Buffer.alloc(0),
    ]);
    return { path, headers, body: body ?? framed };
  }
}

function call(session: ClientHttp2Session, { path, headers, body }: GrpcShot): Promise<string> {
  return new Promise((resolve) => {
    const stream = session.request({
      ...{ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
      ...headers,
    });
    const found: IncomingHttpHeaders = {};
    const read = (received: IncomingHttpHeaders): void => void Object.assign(found, received);
    const timer = setTimeout(() => resolve('silent'), PATIENCE_MS);
    stream.on('response', read);
    stream.on('trailers', read);
    stream.on('error', () => undefined);
    stream.on('close', () => {
      clearTimeout(timer);
      const status = found['grpc-status'];
      resolve(typeof status === 'string' ? status : `http ${String(found[':status'])}`);
    });
    stream.resume();
    stream.end(body);
  });
}

/** What is no gRPC at all is answered by HTTP. */
function isRightful(status: string): boolean {
  return rightful.has(status) || status === 'http 415';
}

/** Sends mutated calls over several connections at once, each call waiting for its answer. */
export async function fuzzGrpc({
  port,
  seed,
  requests,
  connections,
  always,
}: GrpcFuzzOptions): Promise<GrpcFuzzReport> {
  const statuses: Record<string, number> = {};
  const faults: string[] = [];
  let left = requests;
  const attack = async (index: number): Promise<void> => {
    const mutator = new GrpcMutator(new Dice(seed + index));
    let session = connect(`http://127.0.0.1:${port}`);
    while (left-- > 0) {
      if (session.closed || session.destroyed) session = connect(`http://127.0.0.1:${port}`);
      const shot = always ?? mutator.next();
      const status = await call(session, shot);
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (!isRightful(status) && faults.length < MOST_FAULTS) {
        const { path, headers, body } = shot;
        faults.push(`${status}: ${path} ${JSON.stringify(headers)} ${body.toString('hex').slice(0, 2000)}`);
      }
    }
    session.destroy();
  };
  await Promise.all(Array.from({ length: connections }, (_, index) => attack(index)));
  return { statuses, faults };
}
