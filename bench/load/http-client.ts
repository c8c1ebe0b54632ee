import { connect, type Socket } from 'node:net';
import type { Client } from './client.ts';

const HEAD_END = '\r\n\r\n';
const JSON_HEADERS: Readonly<Record<string, string>> = { 'content-type': 'application/json' };

/**
 * One kept connection that asks again as soon as it is answered. Plain sockets, because node:http costs more than the
 * server that is measured, on the same cores.
 */
export class HttpClient implements Client {
  readonly #request: Buffer;
  readonly #socket: Socket;
  #chunks: Buffer[] = [];
  #receivedBytes = 0;
  /** Of head and body; 0 until the head is complete. */
  #expectedBytes = 0;
  #headBytes = 0;
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
    return new Promise((resolve, reject) => {
      this.#onAnswer = resolve;
      this.#onFailure = reject;
      this.#chunks = [];
      this.#receivedBytes = 0;
      this.#expectedBytes = 0;
      this.#socket.write(this.#request);
    });
  }

  /** The head of the latest answer, complete. */
  get head(): string {
    return Buffer.concat(this.#chunks).toString('latin1', 0, this.#headBytes);
  }

  get body(): Buffer {
    return Buffer.concat(this.#chunks).subarray(this.#headBytes);
  }

  close(): void {
    this.#onFailure = () => undefined;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#receivedBytes += chunk.length;
    if (this.#expectedBytes === 0) this.#readHead();
    if (this.#expectedBytes === 0 || this.#receivedBytes < this.#expectedBytes) return;
    this.#onAnswer(this.#status);
  }

  #readHead(): void {
    const received = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    const headLength = received.indexOf(HEAD_END);
    if (headLength < 0) return;
    const head = received.toString('latin1', 0, headLength);
    const bodyBytes = /\r\ncontent-length: (\d+)/iu.exec(head)?.[1];
    if (bodyBytes === undefined) {
      this.#socket.destroy(new Error(`an answer without a content-length cannot be measured: ${head}`));
      return;
    }
    this.#status = Number(head.slice(9, 12));
    this.#headBytes = headLength + HEAD_END.length;
    this.#expectedBytes = this.#headBytes + Number(bodyBytes);
  }
}
