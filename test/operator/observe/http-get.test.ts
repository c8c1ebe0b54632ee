import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer as createTlsServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { httpGet } from '../../../operator/observe/http-get.ts';
import { Authority } from '../../bed/certificates.ts';
import { Loopback } from './loopback.ts';

let loopback: Loopback | undefined;

afterEach(async () => {
  await loopback?.stop();
  loopback = undefined;
});

function ask(port: number, more: object = {}): ReturnType<typeof httpGet> {
  return httpGet({ address: '127.0.0.1', port, path: '/where?x=1', ...more });
}

describe('a small GET to a pod', () => {
  it('asks for the path under the name that it is told, and brings status and body', async () => {
    loopback = await Loopback.http((request, response) => {
      response.statusCode = 418;
      response.end(`${request.method ?? ''} ${request.headers.host ?? ''} ${request.url ?? ''}`);
    });
    const answer = await ask(loopback.port, { host: 'fraud.example.com' });
    expect(answer).toEqual({ status: 418, body: 'GET fraud.example.com /where?x=1' });
  });

  it('uses a connection of its own each time', async () => {
    const ports = new Set<number | undefined>();
    loopback = await Loopback.http((request, response) => {
      ports.add(request.socket.remotePort);
      response.end(request.headers.connection);
    });
    for (let count = 0; count < 3; count += 1) {
      await expect(ask(loopback.port)).resolves.toEqual({ status: 200, body: 'close' });
    }
    expect(ports.size).toBe(3);
  });

  it('follows no redirect: where it leads is nobody that was asked', async () => {
    loopback = await Loopback.http((_, response) =>
      response.writeHead(302, { location: '/elsewhere' }).end(),
    );
    await expect(ask(loopback.port)).resolves.toMatchObject({ status: 302 });
  });

  it('asks over TLS with the name in its hello, whatever certificate is shown', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'headgate-tls-'));
    try {
      const authority = await Authority.create(folder, 'nobody trusts this one');
      const pair = await authority.issue('server', { commonName: 'other', organizations: [] });
      const server = createTlsServer({
        cert: await readFile(pair.certificate),
        key: await readFile(pair.key),
      });
      const names: unknown[] = [];
      server.on('secureConnection', (socket) => names.push(socket.servername));
      loopback = await Loopback.http((_, response) => response.end('safe'), server);
      const answer = await ask(loopback.port, { tls: true, host: 'fraud.example.com' });
      expect([answer.body, names]).toEqual(['safe', ['fraud.example.com']]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('says that nobody listens', async () => {
    await expect(ask(await Loopback.refusing())).rejects.toThrow('connection refused');
  });

  it.each<[string, Parameters<typeof Loopback.tcp>[0]]>([
    ['never answers', () => undefined],
    ['stops within its headers', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Le')],
    ['stops within its body', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf')],
  ])('waits no longer than a second for a server that %s', async (_, onConnection) => {
    loopback = await Loopback.tcp(onConnection);
    const startedAtMs = performance.now();
    await expect(ask(loopback.port)).rejects.toThrow('no answer within 800 ms');
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
  });

  it('waits no longer for a server that answers a byte at a time', async () => {
    let trickle: NodeJS.Timeout | undefined;
    loopback = await Loopback.http((_, response) => {
      trickle = setInterval(() => response.write('.'), 50);
    });
    await expect(ask(loopback.port)).rejects.toThrow('no answer within 800 ms');
    clearInterval(trickle);
  });

  it.each<[string, Parameters<typeof Loopback.tcp>[0], RegExp]>([
    ['hangs up', (socket) => socket.resetAndDestroy(), /connection reset/],
    ['speaks another language', (socket) => socket.write('220 mail.example.com ESMTP\r\n'), /Parse Error/],
    ['ends within its body', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'), /./],
  ])('throws a few words at a server that %s', async (_, onConnection, words) => {
    loopback = await Loopback.tcp((socket) => {
      socket.once('data', () => onConnection(socket));
    });
    await expect(ask(loopback.port)).rejects.toThrow(words);
  });

  it('reads no endless answer', async () => {
    loopback = await Loopback.http((_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(16_384)));
      };
      response.on('drain', more);
      more();
    });
    await expect(ask(loopback.port)).rejects.toThrow('the answer is too long');
  });
});
