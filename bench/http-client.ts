import { connect, type Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';

/**
 * One kept connection that asks again as soon as it is answered. Plain sockets, because node:http costs more than the
 * server that is measured, on the same cores.
 */
export class HttpClient {
  readonly #request: Buffer;
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #onAnswer: (status: number) => void = () => undefined;
  #onFailure: (error: Error) => void = () => undefined;

  constructor(port: number, path: string, body: Buffer) {
    const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
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
      this.#socket.write(this.#request);
    });
  }

  close(): void {
    this.#onFailure = () => undefined;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headLength = this.#received.indexOf(HEAD_END);
    if (headLength < 0) return;
    const head = this.#received.toString('latin1', 0, headLength);
    const bodyLength = Number(/\r\ncontent-length: (\d+)/iu.exec(head)?.[1]);
    if (this.#received.length < headLength + HEAD_END.length + bodyLength) return;
    this.#received = Buffer.alloc(0);
    this.#onAnswer(Number(head.slice(9, 12)));
  }
}
