import { connect, type Socket } from 'node:net';
import { Deferred } from '../../runtime/deferred.ts';

const HEAD_END = '\r\n\r\n';

/** What came back: a status, or nothing but the end of the connection, or nothing at all in time. */
export type Reply = { readonly status: number; readonly isLast: boolean } | 'closed' | 'silent';

/**
 * One connection that sends whatever it is given and waits for one answer. It is opened anew whenever the server has
 * closed it, and after every request whose end the server may see elsewhere than its sender.
 */
export class HttpConnection {
  readonly #port: number;
  readonly #patienceMs: number;
  #socket: Socket | undefined;
  #received: Buffer = Buffer.alloc(0);
  #reply = new Deferred<Reply>();

  constructor(port: number, patienceMs: number) {
    this.#port = port;
    this.#patienceMs = patienceMs;
  }

  async ask(bytes: Buffer): Promise<Reply> {
    const socket = this.#socket ?? this.#open();
    this.#reply = new Deferred<Reply>();
    this.#received = Buffer.alloc(0);
    const timer = setTimeout(() => this.#reply.resolve('silent'), this.#patienceMs);
    socket.write(bytes);
    const reply = await this.#reply.promise;
    clearTimeout(timer);
    if (typeof reply === 'string' || reply.isLast) this.close();
    return reply;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #open(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    const ended = (): void => {
      // A connection that was given up ends later, while its successor waits for an answer of its own.
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#reply.resolve('closed');
    };
    socket.on('data', (chunk: Buffer) => {
      if (this.#socket === socket) this.#receive(chunk);
    });
    socket.on('error', ended);
    socket.on('close', ended);
    this.#socket = socket;
    return socket;
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headLength = this.#received.indexOf(HEAD_END);
    if (headLength < 0) return;
    const head = this.#received.toString('latin1', 0, headLength);
    const status = Number(head.slice(9, 12));
    if (status === 100) {
      const rest = this.#received.subarray(headLength + HEAD_END.length);
      this.#received = Buffer.alloc(0);
      this.#receive(rest);
      return;
    }
    // A HEAD has a length and no body; its status is all that is asked.
    const bodyLength = status === 200 ? Number(/\r\ncontent-length: (\d+)/iu.exec(head)?.[1] ?? 0) : 0;
    if (this.#received.length < headLength + HEAD_END.length + bodyLength) return;
    this.#reply.resolve({ status, isLast: status !== 200 || /\r\nconnection: close/iu.test(head) });
  }
}
