import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedEvent {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Reply = 'accept' | 'refuse' | 'hang';

/** A real HTTP server that keeps what is sent to it, and answers as it is told. */
export class EventServer {
  readonly received: ReceivedEvent[] = [];
  reply: Reply = 'accept';
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        this.received.push({ path: request.url ?? '', headers: request.headers, body });
        this.#answer(response);
      });
    });
  }

  static start(): Promise<EventServer> {
    const server = new EventServer();
    return new Promise((resolve) => server.#server.listen(0, '127.0.0.1', () => resolve(server)));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #answer(response: ServerResponse): void {
    if (this.reply === 'hang') return;
    response.writeHead(this.reply === 'accept' ? 202 : 503).end();
  }
}
