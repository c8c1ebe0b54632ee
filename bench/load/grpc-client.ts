import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import type { Client } from './client.ts';

const FRAME_HEAD_BYTES = 5;
/** As gRPC's own clients open theirs: an answer of half a megabyte must not wait for window updates. */
const WINDOW_BYTES = 8 * 2 ** 20;

/**
 * Unary calls over one HTTP/2 connection. The bytes of the call are made once: a gRPC library would spend more on them
 * than the server that is measured.
 */
export class GrpcClient implements Client {
  readonly head = '';
  readonly #session: ClientHttp2Session;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #frame: Buffer;
  #chunks: Buffer[] = [];

  constructor(port: number, method: string, message: Buffer) {
    this.#headers = {
      ':method': 'POST',
      ':path': method,
      'content-type': 'application/grpc',
      te: 'trailers',
    };
    const head = Buffer.alloc(FRAME_HEAD_BYTES);
    head.writeUInt32BE(message.length, 1);
    this.#frame = Buffer.concat([head, message]);
    this.#session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: WINDOW_BYTES } });
    this.#session.once('connect', () => this.#session.setLocalWindowSize(WINDOW_BYTES));
    // Told through the call that was in flight.
    this.#session.on('error', () => undefined);
  }

  ask(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#chunks = [];
      let status = 0;
      const read = (headers: IncomingHttpHeaders): void => {
        const grpcStatus = headers['grpc-status'];
        if (grpcStatus !== undefined) status = grpcStatus === '0' ? 200 : 500 + Number(grpcStatus);
      };
      const stream = this.#session.request(this.#headers);
      stream.on('response', read);
      stream.on('trailers', read);
      stream.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
      stream.on('error', reject);
      stream.on('end', () => resolve(status));
      stream.end(this.#frame);
    });
  }

  get body(): Buffer {
    return Buffer.concat(this.#chunks).subarray(FRAME_HEAD_BYTES);
  }

  close(): void {
    this.#session.destroy();
  }
}
