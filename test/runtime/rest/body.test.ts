import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { BodyBudget, type Body } from '../../../runtime/body/budget.ts';
import { readBody } from '../../../runtime/rest/body.ts';

const MEBIBYTE = 2 ** 20;
const opened: (() => void)[] = [];

afterEach(() => {
  for (const close of opened.splice(0)) close();
});

/** A request whose body comes as the test writes it. */
async function startRequest(headers: string): Promise<{ socket: Socket; request: IncomingMessage }> {
  const server = createServer({ keepAlive: false }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  opened.push(() => {
    socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  socket.write(`POST / HTTP/1.1\r\nhost: test\r\n${headers}\r\n`);
  const [request] = (await once(server, 'request')) as [IncomingMessage];
  return { socket, request };
}

async function receive(budget: BodyBudget, bytes: Buffer, headers = ''): Promise<Body> {
  const { socket, request } = await startRequest(`content-length: ${bytes.length}\r\n${headers}`);
  const body = readBody(request, budget);
  socket.write(bytes);
  return await body;
}

function numbered(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => index % 251));
}

describe('the body of a request', () => {
  it.each([0, 1, 1000, 100_000, 131_072, 700_001])('of %d bytes is all that was sent', async (length) => {
    const sent = numbered(length);
    const { bytes } = await receive(new BodyBudget(MEBIBYTE, MEBIBYTE), sent);
    expect(bytes.equals(sent)).toBe(true);
  });

  it('is all that was sent where nothing says how long it is', async () => {
    const sent = numbered(300_000);
    const { socket, request } = await startRequest('transfer-encoding: chunked\r\n');
    const body = readBody(request, new BodyBudget(MEBIBYTE, MEBIBYTE));
    for (let start = 0; start < sent.length; start += 100_000) {
      socket.write('186a0\r\n');
      socket.write(sent.subarray(start, start + 100_000));
      socket.write('\r\n');
    }
    socket.write('0\r\n\r\n');
    expect((await body).bytes.equals(sent)).toBe(true);
  });

  it('takes no memory for what is only claimed, and a block for all of it once a quarter has come', async () => {
    const budget = new BodyBudget(MEBIBYTE, MEBIBYTE);
    const take = vi.spyOn(budget.blocks, 'take');
    const { socket, request } = await startRequest(`content-length: ${MEBIBYTE}\r\n`);
    const body = readBody(request, budget);
    let arrived = 0;
    request.on('data', (chunk: Buffer) => (arrived += chunk.length));
    socket.write(numbered(200_000));
    await vi.waitUntil(() => arrived === 200_000);
    expect(take).not.toHaveBeenCalled();
    socket.write(numbered(100_000));
    await vi.waitUntil(() => arrived === 300_000);
    expect(take).toHaveBeenCalledExactlyOnceWith(MEBIBYTE);
    socket.write(numbered(MEBIBYTE - 300_000));
    expect((await body).bytes).toHaveLength(MEBIBYTE);
    expect(take).toHaveBeenCalledOnce();
  });

  it.each([1, 7, 83])('can be used as numbers where it lies, behind %d bytes of JSON', async (jsonBytes) => {
    const headers = `inference-header-content-length: ${jsonBytes}\r\n`;
    const { bytes } = await receive(new BodyBudget(MEBIBYTE, MEBIBYTE), numbered(400_000), headers);
    expect((bytes.byteOffset + jsonBytes) % 8).toBe(0);
  });

  it('lends its block to another one when nobody reads it any more, and only then', async () => {
    const budget = new BodyBudget(MEBIBYTE, 4 * MEBIBYTE);
    const first = await receive(budget, numbered(400_000));
    first.release();
    const second = await receive(budget, numbered(400_000));
    expect(second.bytes.buffer).not.toBe(first.bytes.buffer);
    second.release(true);
    const third = await receive(budget, numbered(390_000));
    expect(third.bytes.buffer).toBe(second.bytes.buffer);
    expect(third.bytes.equals(numbered(390_000))).toBe(true);
  });
});
