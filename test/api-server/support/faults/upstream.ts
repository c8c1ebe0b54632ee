import { once } from 'node:events';
import { Agent, request, type RequestOptions } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface Forwarded {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The API server behind the proxy, asked with whatever credentials the operator sent. */
export class Upstream {
  private readonly url: URL;
  private readonly agent: Agent;

  constructor(url: string, authority: Buffer) {
    this.url = new URL(url);
    this.agent = new Agent({ keepAlive: true, ca: authority });
  }

  /** Its answer from the first byte on; for those that do not end. */
  async open({ method, path, headers, body }: Forwarded, signal?: AbortSignal): Promise<IncomingMessage> {
    const { hostname, port } = this.url;
    const { host: _host, connection: _connection, ...kept } = headers;
    const options: RequestOptions = {
      ...{ hostname, port, path, method, agent: this.agent, headers: kept },
      ...(signal !== undefined && { signal }),
    };
    const sending = request(options);
    // Beside who waits for the answer: one that was begun may still break.
    sending.on('error', () => undefined);
    sending.end(body);
    const [answer] = (await once(sending, 'response')) as [IncomingMessage];
    return answer;
  }

  async ask(forwarded: Forwarded): Promise<Reply> {
    const answer = await this.open(forwarded);
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: await buffer(answer) };
  }

  stop(): void {
    this.agent.destroy();
  }
}

export function passOn({ status, headers, body }: Reply, response: ServerResponse): void {
  const { connection: _connection, 'transfer-encoding': _encoding, ...kept } = headers;
  response.writeHead(status, { ...kept, 'content-length': body.length }).end(body);
}
