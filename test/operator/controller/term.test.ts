import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plainConnection, type Connection } from '../../../operator/controller/connection.ts';
import { OutOfTermError } from '../../../operator/controller/errors.ts';
import { Term } from '../../../operator/controller/term.ts';
import { createTransport, type Transport } from '../../../operator/controller/transport.ts';
import { waitFor } from '../../bed/wait.ts';

const FAR_MS = 1e9;
const WRITES = ['POST', 'PATCH', 'DELETE'] as const;

let server: Server;
let heard: string[];
/** Answers what was held back. */
let release: (() => void)[];
let isHolding: boolean;

beforeEach(async () => {
  [heard, release, isHolding] = [[], [], false];
  server = createServer((request, response) => {
    heard.push(request.method ?? '');
    if (isHolding) release.push(() => response.end('{}'));
    else response.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function connection(): Connection {
  return plainConnection(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

function fenced(term: Term, way = connection()): Transport {
  return term.fence(createTransport(way));
}

describe('a term', () => {
  it.each([
    ['lasts', (term: Term): void => term.extend(FAR_MS)],
    [
      'has a renewal that is late, and comes',
      (term: Term): void => void setImmediate(() => term.extend(FAR_MS)),
    ],
  ])('is begun where it %s while all is prepared', async (_, meanwhile) => {
    const term = new Term(performance.now());
    let begun = 0;
    await term.beginAfter(
      async () => {
        await Promise.resolve();
        meanwhile(term);
      },
      () => begun++,
    );
    expect(begun).toBe(1);
  });

  it('is not begun where it has ended while all was prepared', async () => {
    const term = new Term(FAR_MS);
    let begun = 0;
    await term.beginAfter(
      async () => {
        await Promise.resolve();
        term.end();
      },
      () => begun++,
    );
    expect(begun).toBe(0);
  });
});

describe('the fence of a term', () => {
  it.each(WRITES)('lets a %s out while it lasts', async (method) => {
    await fenced(new Term(FAR_MS)).request({ method, path: '/x' });
    expect(heard).toEqual([method]);
  });

  it.each(WRITES)('sends no %s once nobody has renewed it, and says why', async (method) => {
    const term = new Term(performance.now());
    await expect(fenced(term).request({ method, path: '/x' })).rejects.toThrow(OutOfTermError);
    expect(heard).toEqual([]);
  });

  it('lets questions out at any time', async () => {
    await fenced(new Term(0)).request({ method: 'GET', path: '/x' });
    expect(heard).toEqual(['GET']);
  });

  it('looks at the clock when the request goes out, not when it was asked for', async () => {
    const term = new Term(FAR_MS);
    const way = connection();
    const slow: Connection = {
      ...way,
      async credentials() {
        term.end();
        return await way.credentials();
      },
    };
    await expect(fenced(term, slow).request({ method: 'PATCH', path: '/x' })).rejects.toThrow(OutOfTermError);
    expect(heard).toEqual([]);
  });

  it('is moved by a renewal, and by none once the term was ended', async () => {
    const term = new Term(0);
    term.extend(FAR_MS);
    await fenced(term).request({ method: 'PATCH', path: '/x' });
    term.end();
    term.extend(FAR_MS);
    await expect(fenced(term).request({ method: 'PATCH', path: '/x' })).rejects.toThrow(OutOfTermError);
    expect(term.isOver).toBe(true);
  });

  it('knows when all that went out has been answered, well or badly', async () => {
    const term = new Term(FAR_MS);
    isHolding = true;
    const writes = WRITES.map((method) => fenced(term).request({ method, path: '/x' }));
    await waitFor('all are there', () => heard.length === WRITES.length);
    term.end();
    let isAnswered = false;
    const answered = term.answered().then(() => (isAnswered = true));
    release.pop()?.();
    await Promise.race(writes);
    expect(isAnswered).toBe(false);
    for (const answer of release) answer();
    await answered;
    await expect(Promise.all(writes)).resolves.toHaveLength(WRITES.length);
  });
});
