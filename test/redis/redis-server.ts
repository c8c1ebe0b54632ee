import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** Debian's redis-server, on a port that the test says, so that it can come back there. */
export class RedisServer {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'headgate-redis-'));
  readonly #port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, options: readonly string[]) {
    this.#port = port;
    this.#child = spawn(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', this.#folder, ...options],
      { stdio: 'ignore' },
    );
  }

  static async start(port: number, ...options: string[]): Promise<RedisServer> {
    const server = new RedisServer(port, options);
    await server.#untilListening();
    return server;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The answers to commands in the inline form of its protocol, as they come over the wire. */
  async command(...commands: string[]): Promise<string> {
    const socket = connect(this.#port, '127.0.0.1');
    socket.write(`${[...commands, 'QUIT'].join('\r\n')}\r\n`);
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    await once(socket, 'close');
    return text;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill('SIGKILL');
      await once(this.#child, 'exit');
    }
    rmSync(this.#folder, { recursive: true });
  }

  async #untilListening(): Promise<void> {
    for (let tries = 0; tries < 500; tries++) {
      if (this.#child.exitCode !== null) throw new Error('redis-server ended as it started');
      const isThere = await this.command('PING').then(
        (text) => text.includes('PONG') || text.includes('NOAUTH'),
        () => false,
      );
      if (isThere) return;
      await pause(20);
    }
    throw new Error('redis-server does not answer');
  }
}
