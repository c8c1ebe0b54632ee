import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import {
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net';

/** A real server on a loopback port of its own, for one test. */
export class Loopback {
  private readonly server: TcpServer;
  private readonly sockets = new Set<Socket>();

  private constructor(server: TcpServer) {
    this.server = server;
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      // A client that gives up is no failure of this server.
      socket.on('error', () => undefined);
    });
  }

  static async http(listener: RequestListener, server: Server = createServer()): Promise<Loopback> {
    server.on('request', listener);
    return await Loopback.listen(server);
  }

  /** Speaks no HTTP unless `onConnection` does. */
  static async tcp(onConnection: (socket: Socket) => void): Promise<Loopback> {
    return await Loopback.listen(createTcpServer(onConnection));
  }

  /** A port that nobody listens on. */
  static async refusing(): Promise<number> {
    const loopback = await Loopback.tcp(() => undefined);
    const { port } = loopback;
    await loopback.stop();
    return port;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await once(this.server, 'close');
  }

  private static async listen(server: TcpServer): Promise<Loopback> {
    const loopback = new Loopback(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return loopback;
  }
}
