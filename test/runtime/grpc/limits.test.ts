import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { once } from 'node:events';
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { compressionAlgorithms, status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WireWriter } from '../../../runtime/grpc/protobuf/wire-writer.ts';
import { writeFrame } from '../../../runtime/grpc/transport/frames.ts';
import { exampleModelUri, readSampleRow, sampleRequest } from '../../support/example-models.ts';
import { GrpcClient } from '../../support/grpc-client.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

const MEBIBYTE = 2 ** 20;
const INFER = '/inference.GRPCInferenceService/ModelInfer';
const LIVE = '/inference.GRPCInferenceService/ServerLive';

let runtime: RuntimeProcess;
let client: GrpcClient;
let session: ClientHttp2Session;
beforeAll(async () => {
  runtime = await RuntimeProcess.start({
    HEADGATE_REQUEST_MAX_BYTES: String(MEBIBYTE),
    HEADGATE_REQUESTS_MAX_BYTES: String(3 * MEBIBYTE),
  });
  client = new GrpcClient(runtime.grpcPort);
  session = connect(`http://127.0.0.1:${runtime.grpcPort}`);
}, 60_000);
afterEach(async () => {
  // Whatever a test did, good requests of everybody else go on.
  expect(await client.codeOf('ModelInfer', sample())).toBe(0);
});
afterAll(async () => {
  client.close();
  session.destroy();
  await runtime.stop();
});

function sample(): object {
  const input = { name: 'X', datatype: 'FP32', shape: [1, 30], contents: { fp32_contents: readSampleRow() } };
  return { model_name: 'tumour', inputs: [input] };
}

/** The same in Protocol Buffers, raw. */
function sampleMessage(): Buffer {
  return new WireWriter()
    .string(1, 'tumour')
    .message(5, (input) => input.string(1, 'X').string(2, 'FP32').packed(3, [1, 30]))
    .bytes(7, Buffer.from(Float32Array.from(readSampleRow()).buffer))
    .finish();
}

function open(path: string, headers: Readonly<Record<string, string>> = {}): ClientHttp2Stream {
  const stream = session.request({
    ...{ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
    ...headers,
  });
  stream.on('error', () => undefined);
  return stream;
}

/** The status in the trailers, or in the headers of an answer without a message. */
async function endOf(stream: ClientHttp2Stream): Promise<{ code: number; message: string }> {
  const found: IncomingHttpHeaders = {};
  const read = (headers: IncomingHttpHeaders): void => void Object.assign(found, headers);
  stream.on('response', read);
  stream.on('trailers', read);
  stream.resume();
  if (!stream.closed) await once(stream, 'close');
  return {
    code: Number(found['grpc-status']),
    message: decodeURI((found['grpc-message'] as string | undefined) ?? ''),
  };
}

async function send(
  path: string,
  body: Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ code: number; message: string }> {
  const stream = open(path, headers);
  stream.end(body);
  return await endOf(stream);
}

describe('limits over gRPC', { timeout: 30_000 }, () => {
  it('refuse a message that is too large by its prefix, before it has come', async () => {
    const stream = open(INFER);
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(MEBIBYTE + 1, 1);
    stream.write(prefix);
    const { code, message } = await endOf(stream);
    expect(code).toBe(status.RESOURCE_EXHAUSTED);
    expect(message).toContain(`at most ${MEBIBYTE} bytes, got ${MEBIBYTE + 1}`);
  });

  it('tell a client of gRPC so too, while it still sends', async () => {
    const input = { name: 'X', datatype: 'FP32', shape: [2 ** 19] };
    const failure = await client.failureOf('ModelInfer', {
      ...{ model_name: 'tumour', inputs: [input], raw_input_contents: [Buffer.alloc(2 * MEBIBYTE)] },
    });
    expect([failure?.code, failure?.details]).toEqual([
      status.RESOURCE_EXHAUSTED,
      expect.stringContaining('too large'),
    ]);
  });

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])('hold for what a message unfolds to: a bomb in %s is refused', async (encoding, fold) => {
    const bomb = fold(Buffer.alloc(64 * MEBIBYTE));
    expect(bomb.length).toBeLessThan(MEBIBYTE / 8);
    const { code, message } = await send(INFER, writeFrame(bomb, true), { 'grpc-encoding': encoding });
    expect([code, message]).toEqual([status.RESOURCE_EXHAUSTED, expect.stringContaining('too large')]);
  });

  it('bound what half-sent messages take together, and give it back when their senders leave', async () => {
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(MEBIBYTE, 1);
    const most = Buffer.concat([prefix, Buffer.alloc(MEBIBYTE - 1000)]);
    const halves = Array.from({ length: 3 }, () => {
      const stream = open(INFER);
      stream.write(most);
      return stream;
    });
    const refused = async (): Promise<string> =>
      (await send(INFER, writeFrame(Buffer.alloc(MEBIBYTE / 2), false))).message;
    await expect.poll(refused).toContain('the bodies of the waiting requests fill their memory');
    // The same budget holds for REST.
    const { status: httpStatus } = await runtime.infer(
      `${' '.repeat(MEBIBYTE / 2)}${sampleRequest.toString()}`,
    );
    expect(httpStatus).toBe(429);
    const overloaded = await client.failureOf('ModelInfer', {
      ...{ model_name: 'tumour', raw_input_contents: [Buffer.alloc(MEBIBYTE / 2)] },
    });
    expect(overloaded?.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(overloaded?.metadata.get('retry-after')).toEqual(['1']);
    for (const stream of halves) stream.close(constants.NGHTTP2_CANCEL);
    await expect.poll(refused).not.toContain('fill their memory');
  });

  it.each<[string, string, Buffer, Readonly<Record<string, string>>, number, RegExp]>([
    [
      'a message that is no Protocol Buffers',
      INFER,
      writeFrame(Buffer.from([0xff]), false),
      {},
      3,
      /no valid Protocol/,
    ],
    ['no message', INFER, Buffer.alloc(0), {}, 3, /expected one message, got none/],
    [
      'two messages',
      LIVE,
      Buffer.concat([writeFrame(Buffer.alloc(0), false), writeFrame(Buffer.alloc(0), false)]),
      {},
      3,
      /expected one message, got more/,
    ],
    ['half a message', INFER, Buffer.from([0, 0, 0, 0, 9, 1]), {}, 3, /ends within a message/],
    [
      'a broken gzip',
      LIVE,
      writeFrame(Buffer.from('no gzip'), true),
      { 'grpc-encoding': 'gzip' },
      3,
      /complete gzip/,
    ],
    [
      'an unknown coding',
      LIVE,
      writeFrame(Buffer.alloc(1), true),
      { 'grpc-encoding': 'snappy' },
      12,
      /'snappy'/,
    ],
    ['a coding that is not named', LIVE, writeFrame(Buffer.alloc(1), true), {}, 3, /grpc-encoding/],
    [
      'a wrong timeout',
      INFER,
      writeFrame(Buffer.alloc(0), false),
      { 'grpc-timeout': '5 days' },
      3,
      /grpc-timeout/,
    ],
    [
      'an unknown method',
      '/nobody/Knows',
      writeFrame(Buffer.alloc(0), false),
      {},
      12,
      /no method \/nobody\/Knows/,
    ],
    ['a path that is no ASCII', '/\u00ff\u00fe', writeFrame(Buffer.alloc(0), false), {}, 12, /no method/],
  ])("refuse %s as the client's fault", async (...[, path, body, headers, code, words]) => {
    const end = await send(path, body, headers);
    expect([end.code, end.message]).toEqual([code, expect.stringMatching(words)]);
  });

  it('answer other contents than gRPC with the status of HTTP', async () => {
    const stream = open(LIVE, { 'content-type': 'application/json' });
    stream.end('{}');
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    expect(headers[':status']).toBe(415);
    stream.resume();
  });

  it('close the connection of whoever speaks no HTTP/2', async () => {
    const socket = connectSocket(runtime.grpcPort, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    expect(socket.destroyed).toBe(true);
  });

  it.each([
    ['gzip', compressionAlgorithms.gzip, gunzipSync],
    ['deflate', compressionAlgorithms.deflate, inflateSync],
  ])('are no obstacle to messages in %s, which are answered so too', async (encoding, algorithm, unfold) => {
    const compressing = new GrpcClient(runtime.grpcPort, {
      'grpc.default_compression_algorithm': algorithm,
    });
    const { message } = await compressing.ask('ModelInfer', sample());
    expect(message['outputs']).toHaveLength(2);
    compressing.close();
    const folded = encoding === 'gzip' ? gzipSync(sampleMessage()) : deflateSync(sampleMessage());
    const stream = open(INFER, { 'grpc-encoding': encoding });
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.end(writeFrame(folded, true));
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    await once(stream, 'close');
    const body = Buffer.concat(chunks);
    expect([headers['grpc-encoding'], body[0]]).toEqual([encoding, 1]);
    expect(unfold(body.subarray(5)).includes('probabilities')).toBe(true);
  });
});

describe('a client that does not wait', { timeout: 30_000 }, () => {
  let slow: RuntimeProcess;
  let other: GrpcClient;
  beforeAll(async () => {
    slow = await RuntimeProcess.start({ HEADGATE_MODEL_URI: exampleModelUri('slow.onnx') });
    other = new GrpcClient(slow.grpcPort);
  }, 60_000);
  afterAll(async () => {
    other.close();
    await slow.stop();
  });

  interface Counts {
    readonly inFlight: number;
    readonly total: { readonly requests: number; readonly errors: number };
  }
  const report = async (): Promise<Counts> =>
    JSON.parse((await slow.askManagement('/headgate/report')).text) as Counts;

  it('leaves the queue when it cancels', async () => {
    const before = await report();
    const calls: { cancel(): void }[] = [];
    const asked = Array.from({ length: 40 }, () =>
      other.failureOf('ModelInfer', sample(), { onCall: (call) => calls.push(call) }),
    );
    await slow.until('at work', async () => (await report()).inFlight > 20);
    for (const call of calls) call.cancel();
    await Promise.all(asked);
    await slow.until('idle', async () => (await report()).inFlight === 0);
    expect((await report()).total.requests - before.total.requests).toBeLessThan(20);
  });

  it('is told when its deadline has passed, by this server, and its request is taken back', async () => {
    const stream = connect(`http://127.0.0.1:${slow.grpcPort}`);
    // Nothing waits before it, so it is admitted; the model alone does not answer.
    process.kill(slow.executorProcessId, 'SIGSTOP');
    const call = stream.request({
      ...{ ':method': 'POST', ':path': INFER, 'content-type': 'application/grpc', 'grpc-timeout': '200m' },
    });
    call.end(writeFrame(sampleMessage(), false));
    expect(await endOf(call)).toEqual({
      code: status.DEADLINE_EXCEEDED,
      message: expect.stringContaining('within the time that the client gave') as string,
    });
    process.kill(slow.executorProcessId, 'SIGCONT');
    await slow.until('idle', async () => (await report()).inFlight === 0);
    expect(await other.codeOf('ModelInfer', sample())).toBe(status.OK);
    stream.destroy();
  });

  it('is told when the queue is full, and when to come again', async () => {
    const full = await RuntimeProcess.start({
      HEADGATE_MODEL_URI: exampleModelUri('slow.onnx'),
      HEADGATE_QUEUE_MAX_DEPTH: '4',
    });
    const crowd = new GrpcClient(full.grpcPort);
    const failures = await Promise.all(
      Array.from({ length: 40 }, () => crowd.failureOf('ModelInfer', sample())),
    );
    const [shed] = failures.filter((failure) => failure !== undefined);
    expect(shed).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      details: expect.stringContaining('queue is full') as string,
    });
    expect(shed?.metadata.get('retry-after')).toEqual(['1']);
    expect(shed?.metadata.get('grpc-retry-pushback-ms')).toEqual(['1000']);
    crowd.close();
    await full.stop();
  });
});
