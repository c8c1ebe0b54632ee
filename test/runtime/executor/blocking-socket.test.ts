import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder, type Frame } from '../../../runtime/executor/frame.ts';

const module = new URL('../../../runtime/executor/blocking-socket.ts', import.meta.url).href;
const frames = new URL('../../../runtime/executor/frame.ts', import.meta.url).href;

/** A child that sends every payload back, after so many milliseconds of work for each. */
const echo = `
const { BlockingSocket } = await import('${module}');
const { encodeFrame } = await import('${frames}');
const socket = new BlockingSocket(3);
const work = (ms) => { for (const end = performance.now() + ms; performance.now() < end;); };
for (let taken = socket.read(); taken !== undefined; taken = socket.read()) {
  for (const frame of taken) {
    work(Number(process.argv[1]));
    socket.hold(encodeFrame('result', frame.request, (payload) => payload.bytes(Buffer.from(frame.payload))));
    socket.release(frame);
    socket.flushWhenOld();
  }
}
process.exit(7);
`;

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

class Other {
  readonly child: ChildProcess;
  readonly socket: Duplex;
  /** How many frames each read brought. */
  readonly reads: number[] = [];
  readonly #received: Frame[] = [];

  constructor(workMs = 0) {
    this.child = spawn(process.execPath, ['--input-type=module', '-e', echo, String(workMs)], {
      stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    });
    children.push(this.child);
    this.socket = this.child.stdio[3] as Duplex;
    const decoder = new FrameDecoder();
    this.socket.on('data', (chunk: Buffer) => {
      const received = decoder.push(chunk);
      if (received.length > 0) this.reads.push(received.length);
      this.#received.push(...received);
      this.socket.emit('frames');
    });
  }

  send(request: number, bytes: Buffer): void {
    for (const piece of encodeFrame('run', request, (payload) => payload.bytes(bytes)))
      this.socket.write(piece);
  }

  async receive(count: number): Promise<Frame[]> {
    while (this.#received.length < count) await once(this.socket, 'frames');
    return this.#received;
  }
}

describe("the executor's end of the socket", { timeout: 30_000 }, () => {
  it('takes and gives frames of any size, in their order', async () => {
    const other = new Other();
    // Several times what a socket holds, both ways at once, among frames of a few bytes.
    const sizes = [0, 3, 1_500_000, 20_000, 1, 700_000, 65_536, 12];
    for (const [index, size] of sizes.entries()) other.send(index, Buffer.alloc(size, index + 1));
    const received = await other.receive(sizes.length);
    expect(received.map(({ request, payload }) => [request, payload.length])).toEqual([...sizes.entries()]);
    const wrong = received.filter(({ request, payload }) => !payload.every((byte) => byte === request + 1));
    expect(wrong).toEqual([]);
  });

  it('sends answers of cheap work together', async () => {
    // Slow enough for each to be read alone if it came alone.
    const other = new Other(0.25);
    other.send(0, Buffer.alloc(1));
    await other.receive(1);
    other.socket.cork();
    for (let request = 1; request <= 50; request++) other.send(request, Buffer.alloc(1));
    other.socket.uncork();
    await other.receive(51);
    expect(other.reads.length).toBeLessThan(25);
  });

  it('keeps no answer back while it works for longer than a millisecond', async () => {
    const other = new Other(60);
    other.socket.cork();
    for (let request = 0; request < 5; request++) other.send(request, Buffer.alloc(1));
    other.socket.uncork();
    await other.receive(5);
    // All of them would come in one, if they were kept until the last is done.
    expect(other.reads.length).toBeGreaterThan(1);
  });

  it('tells when the other end has closed', async () => {
    const other = new Other();
    other.send(0, Buffer.alloc(1));
    await other.receive(1);
    other.socket.end();
    const [code] = (await once(other.child, 'exit')) as [number];
    expect(code).toBe(7);
  });
});
