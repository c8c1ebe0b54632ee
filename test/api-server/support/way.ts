import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

/** One process's way to the API server, which can be cut as a network is: nothing is answered and nothing is closed. */
export class Way {
  readonly url: string;
  private readonly server: Server;
  private readonly pairs = new Set<Pair>();
  private state: 'open' | 'outward held' | 'cut' = 'open';

  private constructor(server: Server) {
    this.server = server;
    this.url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async to(url: string): Promise<Way> {
    const { hostname, port } = new URL(url);
    const server = createServer({ pauseOnConnect: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const way = new Way(server);
    server.on('connection', (near) => way.join({ near, far: connect(Number(port), hostname) }));
    return way;
  }

  /** What the process sends waits, and arrives when the way is open again; what it is told arrives. */
  holdOutward(): void {
    this.change('outward held');
  }

  /** Nothing arrives on either side until the way is open again. */
  cut(): void {
    this.change('cut');
  }

  open(): void {
    this.change('open');
  }

  async stop(): Promise<void> {
    for (const { near, far } of this.pairs) {
      near.destroy();
      far.destroy();
    }
    this.server.close();
    await once(this.server, 'close');
  }

  private join(pair: Pair): void {
    const { near, far } = pair;
    this.pairs.add(pair);
    near.on('data', (bytes) => far.write(bytes));
    far.on('data', (bytes) => near.write(bytes));
    this.endWith(near, far, pair);
    this.endWith(far, near, pair);
    this.settle(pair);
  }

  /** What was sent before the end still arrives, as the kernel would see to. */
  private endWith(side: Socket, other: Socket, pair: Pair): void {
    side.on('error', () => undefined);
    side.on('close', () => {
      this.pairs.delete(pair);
      other.end();
    });
  }

  private change(state: Way['state']): void {
    this.state = state;
    for (const pair of this.pairs) this.settle(pair);
  }

  private settle({ near, far }: Pair): void {
    if (this.state === 'open') near.resume();
    else near.pause();
    if (this.state === 'cut') far.pause();
    else far.resume();
  }
}
