import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A real HTTP server on the loopback that answers each path by a script and counts the requests. */
export class FileServer {
  readonly requests: string[] = [];
  readonly #answers: Readonly<Record<string, Answer>>;
  readonly #server = createServer((request, response) => {
    const { url = '' } = request;
    this.requests.push(url);
    const answer = this.#answers[url.replace(/\?.*$/u, '')];
    if (answer === undefined) response.writeHead(404).end();
    else answer(response, request);
  });

  constructor(answers: Readonly<Record<string, Answer>>) {
    this.#answers = answers;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
