import { connect, type Socket } from 'node:net';
import { WireWriter } from '../runtime/grpc/protobuf/wire-writer.ts';
import { writeFrame } from '../runtime/grpc/transport/frames.ts';

/** Of HTTP/2, https://www.rfc-editor.org/rfc/rfc9113#section-6. */
const frameTypes = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
} as const;
const ofStreams = new Set<number>([frameTypes.data, frameTypes.headers]);
const failures = new Set<number>([frameTypes.reset, frameTypes.goAway]);
const END_STREAM = 1;
const ACKNOWLEDGED = 1;
const END_HEADERS = 4;
const HEAD_BYTES = 9;
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const LARGEST_WINDOW = 2 ** 31 - 1;
const INITIAL_WINDOW_SIZE = 4;

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header that no table is asked for. */
function header(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, name.length]),
    Buffer.from(name),
    Buffer.from([value.length]),
    Buffer.from(value),
  ]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** One row for a model with the one input X, as raw contents. */
export function inferMessage(model: string, row: readonly number[]): Buffer {
  return new WireWriter()
    .string(1, model)
    .message(5, (input) => input.string(1, 'X').string(2, 'FP32').packed(3, [1, row.length]))
    .bytes(7, Buffer.from(Float32Array.from(row).buffer))
    .finish();
}

/**
 * One kept connection that asks again as soon as it is answered: frames of HTTP/2 that were made once, because any
 * client of gRPC costs more than the server that is measured, on the same cores.
 */
export class GrpcBenchClient {
  readonly #request: Buffer;
  readonly #dataAt: number;
  readonly #socket: Socket;
  #stream = 1;
  #hasData = false;
  #unacknowledged = 0;
  #received: Buffer = Buffer.alloc(0);
  #onAnswer: (status: number) => void = () => undefined;
  #onFailure: (error: Error) => void = () => undefined;

  constructor(port: number, message: Buffer) {
    const headers = Buffer.concat([
      header(':method', 'POST'),
      header(':scheme', 'http'),
      header(':path', '/inference.GRPCInferenceService/ModelInfer'),
      header(':authority', 'localhost'),
      header('content-type', 'application/grpc'),
      header('te', 'trailers'),
    ]);
    this.#dataAt = HEAD_BYTES + headers.length;
    this.#request = Buffer.concat([
      frame(frameTypes.headers, END_HEADERS, 0, headers),
      frame(frameTypes.data, END_STREAM, 0, writeFrame(message, false)),
    ]);
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const windows = Buffer.concat([Buffer.from([0, INITIAL_WINDOW_SIZE]), uint32(LARGEST_WINDOW)]);
    this.#socket.write(
      Buffer.concat([
        PREFACE,
        frame(frameTypes.settings, 0, 0, windows),
        frame(frameTypes.windowUpdate, 0, 0, uint32(LARGEST_WINDOW - 65_535)),
      ]),
    );
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on('error', (error) => this.#onFailure(error));
    this.#socket.on('close', () => this.#onFailure(new Error('the server closed the connection')));
  }

  /** 200 when a message came; the trailers of one are not read, since a failure has none. */
  ask(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#onAnswer = resolve;
      this.#onFailure = reject;
      this.#request.writeUInt32BE(this.#stream, 5);
      this.#request.writeUInt32BE(this.#stream, this.#dataAt + 5);
      this.#stream += 2;
      this.#hasData = false;
      // The memory is written anew before this one may be on its way.
      this.#socket.write(Buffer.from(this.#request));
    });
  }

  close(): void {
    this.#onFailure = () => undefined;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    const all = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    let position = 0;
    while (all.length - position >= HEAD_BYTES) {
      const end = position + HEAD_BYTES + all.readUIntBE(position, 3);
      if (end > all.length) break;
      this.#take(all.subarray(position, end));
      position = end;
    }
    this.#received = all.subarray(position);
  }

  #take(received: Buffer): void {
    const [type = 0, flags = 0] = received.subarray(3, 5);
    const payload = received.subarray(HEAD_BYTES);
    if (type === frameTypes.settings) this.#acknowledge(type, flags, Buffer.alloc(0));
    if (type === frameTypes.ping) this.#acknowledge(type, flags, payload);
    if (failures.has(type)) this.#onFailure(new Error('the server ended the stream'));
    if (type === frameTypes.data) this.#receiveData(payload.length);
    if (ofStreams.has(type) && (flags & END_STREAM) !== 0) this.#onAnswer(this.#hasData ? 200 : 500);
  }

  #acknowledge(type: number, flags: number, payload: Buffer): void {
    if ((flags & ACKNOWLEDGED) === 0) this.#socket.write(frame(type, ACKNOWLEDGED, 0, payload));
  }

  #receiveData(bytes: number): void {
    this.#hasData = true;
    this.#unacknowledged += bytes;
    if (this.#unacknowledged < LARGEST_WINDOW / 2) return;
    this.#socket.write(frame(frameTypes.windowUpdate, 0, 0, uint32(this.#unacknowledged)));
    this.#unacknowledged = 0;
  }
}
