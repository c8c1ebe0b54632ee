import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectionFromFile, plainConnection } from '../../../operator/controller/connection.ts';
import { createTransport } from '../../../operator/controller/transport.ts';

let server: Server;
let url: string;
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  server = createServer((request, response) => answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const get = { method: 'GET', path: '/api/v1/pods' } as const;

describe('a refusal', () => {
  it.each<[string, object, unknown, number]>([
    ['in the header', { 'retry-after': '2' }, {}, 2_000],
    ['in the Status', {}, { details: { retryAfterSeconds: 3 } }, 3_000],
    ['not at all', {}, {}, 0],
    ['as a date, which no API server sends', { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }, {}, 0],
    ['as a whole day, which is not believed', { 'retry-after': '86400' }, {}, 60_000],
  ])('says when to come back: %s', async (_, headers, body, retryAfterMs) => {
    answer = (_request, response) => response.writeHead(429, { ...headers }).end(JSON.stringify(body));
    await expect(createTransport(plainConnection(url)).request(get)).rejects.toMatchObject({
      status: 429,
      retryAfterMs,
    });
  });
});

describe('a token', () => {
  let folder: string;
  let seen: (string | undefined)[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'headgate-transport-'));
    await writeFile(join(folder, 'token'), 'first');
    const kubeconfig = {
      ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'here' },
      clusters: [{ name: 'here', cluster: { server: url, 'insecure-skip-tls-verify': true } }],
      contexts: [{ name: 'here', context: { cluster: 'here', user: 'us' } }],
      users: [
        {
          name: 'us',
          user: { 'auth-provider': { name: 'tokenFile', config: { tokenFile: join(folder, 'token') } } },
        },
      ],
    };
    await writeFile(join(folder, 'kubeconfig'), JSON.stringify(kubeconfig));
    seen = [];
    answer = ({ headers }, response) => {
      seen.push(headers.authorization);
      response.writeHead(headers.authorization === 'Bearer second' ? 200 : 401).end('{}\n');
    };
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  it.each(['request', 'watch'])('that a %s is refused with is read anew for the next one', async (way) => {
    const transport = createTransport(connectionFromFile(join(folder, 'kubeconfig')));
    const ask = async (): Promise<unknown> => {
      if (way === 'request') return await transport.request(get);
      const options = { idleMs: 60_000, signal: new AbortController().signal };
      return await transport.lines(get, options).next();
    };
    await expect(ask()).rejects.toMatchObject({ status: 401 });
    await writeFile(join(folder, 'token'), 'second');
    await ask();
    expect(seen).toEqual(['Bearer first', 'Bearer second']);
  });

  it('that cannot be read fails the request, and the one after that finds it', async () => {
    const transport = createTransport(connectionFromFile(join(folder, 'kubeconfig')));
    await expect(transport.request(get)).rejects.toMatchObject({ status: 401 });
    await rm(join(folder, 'token'));
    await expect(transport.request(get)).rejects.toThrow('ENOENT');
    await writeFile(join(folder, 'token'), 'second');
    await expect(transport.request(get)).resolves.toEqual({});
  });
});

describe('the lines of an answer', () => {
  it('come whole, however they are cut up, and without the empty ones', async () => {
    answer = (_, response) => {
      response.write('{"a":"\u00e4');
      response.write('"}\n\n{"b"');
      response.end(':2}\n');
    };
    const options = { idleMs: 60_000, signal: new AbortController().signal };
    const lines: string[] = [];
    for await (const line of createTransport(plainConnection(url)).lines(get, options)) lines.push(line);
    expect(lines).toEqual(['{"a":"ä"}', '{"b":2}']);
  });

  it('are given up when one never ends', async () => {
    answer = (_, response) => {
      const chunk = 'x'.repeat(2 ** 20);
      const more = (): void => {
        if (response.destroyed) return;
        response.write(chunk, more);
      };
      more();
    };
    const options = { idleMs: 60_000, signal: new AbortController().signal };
    const lines = createTransport(plainConnection(url)).lines(get, options);
    await expect(lines.next()).rejects.toThrow('a line is longer than');
  });

  it('are given up by a signal, as a request is', async () => {
    answer = (_, response) => response.writeHead(200).flushHeaders();
    const transport = createTransport(plainConnection(url));
    const stopping = new AbortController();
    const lines = transport.lines(get, { idleMs: 60_000, signal: stopping.signal }).next();
    const request = transport.request({ ...get, signal: stopping.signal });
    stopping.abort();
    await expect(lines).rejects.toThrow('abort');
    await expect(request).rejects.toThrow('abort');
  });
});
