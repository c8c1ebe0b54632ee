import { createHash, randomBytes, randomInt } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fetchModel, type ModelSource } from '../../../runtime/model-source/model-source.ts';
import { FileServer } from './file-server.ts';
import { failureOf, modelSource } from './source.ts';

const content = randomBytes(3_000_000);
const other = randomBytes(3_000_000);
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** What a server was asked, by one request each. */
interface Request {
  readonly range: string | undefined;
  readonly ifRange: string | undefined;
}
let requests: Request[] = [];
/** Of the body, before the connection breaks; in the order of the requests. */
let breaksAfter: number[] = [];
let servesOther = false;

interface Manner {
  readonly tag?: string;
  readonly obeysIfRange?: boolean;
}

/** Serves the file as a web server does, and breaks the connection as often as the test wants. */
function serve(response: ServerResponse, request: IncomingMessage, manner: Manner): void {
  const file = servesOther ? other : content;
  const start = startOf(request, manner);
  response.writeHead(start === undefined ? 200 : 206, {
    'content-length': file.length - (start ?? 0),
    ...(manner.tag !== undefined && { etag: manner.tag }),
    ...(start !== undefined && { 'content-range': `bytes ${start}-${file.length - 1}/${file.length}` }),
  });
  const rest = file.subarray(start);
  const after = breaksAfter.shift();
  if (after === undefined) response.end(rest);
  else response.write(rest.subarray(0, after), () => response.destroy());
}

/** Where the part begins that is asked for; undefined for the whole. */
function startOf({ headers }: IncomingMessage, { tag, obeysIfRange = true }: Manner): number | undefined {
  const { range, 'if-range': condition } = headers;
  const ifRange = condition as string | undefined;
  requests.push({ range, ifRange });
  const [, start] = /^bytes=(\d+)-$/u.exec(range ?? '') ?? [];
  if (start === undefined || (obeysIfRange && ifRange !== undefined && ifRange !== tag)) return undefined;
  return Number(start);
}

const tagOf = (): string => (servesOther ? '"second"' : '"first"');
const server = new FileServer({
  '/tagged.onnx': (response, request) => serve(response, request, { tag: tagOf() }),
  '/untagged.onnx': (response, request) => serve(response, request, {}),
  '/weak.onnx': (response, request) => serve(response, request, { tag: `W/${tagOf()}` }),
  '/careless.onnx': (response, request) => serve(response, request, { tag: tagOf(), obeysIfRange: false }),
  '/changes.onnx': (response, request) => {
    serve(response, request, { tag: tagOf() });
    servesOther = true;
  },
  '/changes-carelessly.onnx': (response, request) => {
    serve(response, request, { tag: tagOf(), obeysIfRange: false });
    servesOther = true;
  },
  '/packed.onnx': (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
  '/silent-break.onnx': (response) => {
    requests.push({ range: undefined, ifRange: undefined });
    response.destroy();
  },
  '/round.onnx': (response) => response.writeHead(302, { location: '/round.onnx' }).end(),
  '/away.onnx': (response) =>
    response.writeHead(302, { location: 'https://elsewhere.example.com/m.onnx' }).end(),
  '/other-port.onnx': (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/m.onnx' }).end(),
  '/nowhere.onnx': (response) => response.writeHead(302).end(),
});

let folder = '';
beforeAll(() => server.listen());
afterAll(() => server.close());
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'headgate-download-'));
  requests = [];
  breaksAfter = [];
  servesOther = false;
});
afterEach(() => rmSync(folder, { recursive: true }));

function source(address: string, given: Partial<ModelSource> = {}): ModelSource {
  return modelSource({ uri: server.url(address), downloadDirectory: folder, ...given });
}

describe('a download whose connection breaks', { timeout: 120_000 }, () => {
  it('goes on where it was, however often and wherever that happens', async () => {
    // More breaks than tries in vain: each of them brought something.
    breaksAfter = Array.from({ length: 12 }, () => randomInt(1, 200_000));
    const lengths = [...breaksAfter];
    const model = await fetchModel(source('/tagged.onnx'));
    expect(readFileSync(model.path).equals(content), `broken after ${lengths.join(', ')}`).toBe(true);
    expect(model.digest).toBe(sha256(content));
    expect(requests).toHaveLength(13);
    const starts = requests.map(({ range }) => Number(/\d+/u.exec(range ?? '0')?.[0]));
    expect(starts).toEqual([...starts].sort((left, right) => left - right));
    expect(starts.at(-1)).toBeGreaterThan(0);
    expect(requests.slice(1).every(({ ifRange }) => ifRange === '"first"')).toBe(true);
  });

  it.each([
    ['/untagged.onnx', 'has no ETag'],
    ['/weak.onnx', 'has a weak ETag'],
  ])('begins anew when the file at %s %s: its parts may be of two files', async (address) => {
    breaksAfter = [1_000_000];
    const model = await fetchModel(source(address));
    expect(model.digest).toBe(sha256(content));
    expect(requests).toEqual([
      { range: undefined, ifRange: undefined },
      { range: undefined, ifRange: undefined },
    ]);
  });

  it.each(['/changes.onnx', '/changes-carelessly.onnx'])(
    'takes the whole new file when it changed meanwhile at %s',
    async (address) => {
      breaksAfter = [1_000_000];
      const model = await fetchModel(source(address));
      expect(readFileSync(model.path).equals(other)).toBe(true);
    },
  );

  it('goes on at a server that ignores If-Range, while the file is the same', async () => {
    breaksAfter = [1_000_000];
    expect((await fetchModel(source('/careless.onnx'))).digest).toBe(sha256(content));
    expect(requests).toHaveLength(2);
  });

  it('is given up after five tries that brought nothing, with the reason', async () => {
    const failure = await failureOf(fetchModel(source('/silent-break.onnx')));
    expect(failure.reason).toBe('ModelDownloadFailed');
    expect(failure.message).toContain('(5 tries)');
    expect(requests).toHaveLength(5);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('the size of a download', { timeout: 60_000 }, () => {
  it('is looked at before anything is written', async () => {
    const failure = await failureOf(fetchModel(source('/tagged.onnx', { maxBytes: 2_999_999 })));
    expect(failure).toMatchObject({ reason: 'ModelTooLarge' });
    expect(failure.message).toContain('spec.model.maxSize');
    expect(requests).toHaveLength(1);
  });

  it('may be the limit to the byte', async () => {
    expect((await fetchModel(source('/tagged.onnx', { maxBytes: 3_000_000 }))).digest).toBe(sha256(content));
  });

  it('is counted over all of its parts', async () => {
    breaksAfter = [2_000_000];
    const failure = await failureOf(fetchModel(source('/tagged.onnx', { maxBytes: 2_999_999 })));
    expect(failure).toMatchObject({ reason: 'ModelTooLarge' });
  });
});

describe('an answer that is no model', { timeout: 60_000 }, () => {
  it.each([
    ['/packed.onnx', 'ModelDownloadFailed', 'content encoding gzip'],
    ['/round.onnx', 'ModelDownloadFailed', 'more than 5 redirects'],
    ['/nowhere.onnx', 'ModelDownloadFailed', 'a redirect to nowhere'],
    ['/away.onnx', 'ModelSourceForbidden', 'redirects to https://elsewhere.example.com/m.onnx'],
    ['/other-port.onnx', 'ModelSourceForbidden', 'another host or port'],
  ])('is refused at %s with %s', async (address, reason, words) => {
    const failure = await failureOf(fetchModel(source(address)));
    expect(failure.reason).toBe(reason);
    expect(failure.message).toContain(words);
    expect(readdirSync(folder)).toEqual([]);
  });
});
