import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/**
 * A server on every address of this machine that nobody may reach. It counts who does, and Node itself counts each
 * socket that this process opens towards anywhere.
 */
export class Canary {
  reached = 0;
  opened = 0;
  readonly #server = createServer((socket) => {
    this.reached++;
    socket.destroy();
  });
  readonly #noteSocket = (): void => {
    this.opened++;
  };

  async start(): Promise<void> {
    this.#server.listen(0, '::');
    await once(this.#server, 'listening');
    subscribe('net.client.socket', this.#noteSocket);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    unsubscribe('net.client.socket', this.#noteSocket);
    this.#server.close();
  }
}
