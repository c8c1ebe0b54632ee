import { connect, type Socket } from 'node:net';
import type { Client } from './client.ts';

const HEAD_END = '\r\n\r\n';
const JSON_HEADERS: Readonly<Record<string, string>> = { 'content-type': 'application/json' };

/** The chunks of a body in the chunked transfer coding; undefined until the last one is there. */
function readChunks(received: Buffer, start: number): Buffer[] | undefined {
  const chunks: Buffer[] = [];
  for (let position = start; ;) {
    const lineEnd = received.indexOf('\r\n', position);
    if (lineEnd < 0) return undefined;
    const length = Number.parseInt(received.toString('latin1', position, lineEnd), 16);
    const end = lineEnd + 2 + length + 2;
    if (end > received.length) return undefined;
    if (length === 0) return chunks;
    chunks.push(received.subarray(lineEnd + 2, end - 2));
    position = end;
  }
}

/**
 * One kept connection that asks again as soon as it is answered. Plain sockets, because node:http costs more than the
 * server that is measured, on the same cores.
 */
export class HttpClient implements Client {
  readonly #request: Buffer;
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #receivedBytes = 0;
  /** 0 until the head is complete. */
  #headBytes = 0;
  /** Of head and body. */
  #expectedBytes = 0;
  #isChunked = false;
  #status = 0;
  #onAnswer: (status: number) => void = () => undefined;
  #onFailure: (error: Error) => void = () => undefined;

  constructor(port: number, path: string, body: Buffer, headers = JSON_HEADERS) {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\n${lines.join('')}content-length: ${body.length}`;
    this.#request = Buffer.concat([Buffer.from(head + HEAD_END), body]);
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on('error', (error) => this.#onFailure(error));
    this.#socket.on('close', () => this.#onFailure(new Error('the server closed the connection')));
  }

  /** The status of the answer. */
  ask(): Promise<number> {
    if (this.#socket.destroyed) return Promise.reject(new Error('the server closed the connection'));
    return new Promise((resolve, reject) => {
      this.#onAnswer = resolve;
      this.#onFailure = reject;
      this.#chunks = [];
      this.#receivedBytes = 0;
      this.#headBytes = 0;
      this.#socket.write(this.#request);
    });
  }

  /** The head of the latest answer, complete. */
  get head(): string {
    return Buffer.concat(this.#chunks).toString('latin1', 0, this.#headBytes);
  }

  get body(): Buffer {
    const received = Buffer.concat(this.#chunks);
    if (!this.#isChunked) return received.subarray(this.#headBytes);
    return Buffer.concat(readChunks(received, this.#headBytes) ?? []);
  }

  close(): void {
    this.#onFailure = () => undefined;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#headBytes === 0) this.#readHead();
    if (this.#headBytes === 0 || !this.#isComplete) return;
    this.#onAnswer(this.#status);
  }

  get #isComplete(): boolean {
    if (!this.#isChunked) return this.#receivedBytes >= this.#expectedBytes;
    return readChunks(Buffer.concat(this.#chunks), this.#headBytes) !== undefined;
  }

  #readHead(): void {
    const received = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    const headLength = received.indexOf(HEAD_END);
    if (headLength < 0) return;
    const head = received.toString('latin1', 0, headLength);
    this.#status = Number(head.slice(9, 12));
    this.#headBytes = headLength + HEAD_END.length;
    this.#isChunked = /\r\ntransfer-encoding: chunked/iu.test(head);
    this.#expectedBytes = this.#headBytes + Number(/\r\ncontent-length: (\d+)/iu.exec(head)?.[1] ?? 0);
  }
}
