import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseCoding } from '../../../runtime/body/compression.ts';
import { readReference, sampleRequest } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

const REQUEST_MAX_BYTES = 100_000;
let runtime: RuntimeProcess;
beforeAll(async () => {
  runtime = await RuntimeProcess.start({
    HEADGATE_REQUEST_MAX_BYTES: String(REQUEST_MAX_BYTES),
    // Of all bodies together: one that is refused and kept its part would soon leave none for the others.
    HEADGATE_REQUESTS_MAX_BYTES: String(2 * REQUEST_MAX_BYTES),
  });
}, 60_000);
afterAll(() => runtime.stop());

async function inFlight(): Promise<number> {
  const { text } = await runtime.askManagement('/headgate/report');
  return (JSON.parse(text) as { inFlight: number }).inFlight;
}

describe('content codings', { timeout: 60_000 }, () => {
  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
  ])('are read: %s', async (coding, compress) => {
    const plain = await runtime.infer(sampleRequest);
    const answer = await runtime.infer(compress(sampleRequest), { headers: { 'content-encoding': coding } });
    expect([answer.status, answer.text]).toEqual([200, plain.text]);
  });

  it.each([
    ['gzip', gunzipSync],
    ['deflate', inflateSync],
  ])('are written where the client takes them: %s', async (coding, expand) => {
    const { request } = readReference();
    const rows = Array.from({ length: 8 }, () => request.inputs[0].data).flat();
    const body = JSON.stringify({ inputs: [{ ...request.inputs[0], shape: [64, 30], data: rows }] });
    const plain = await runtime.infer(body);
    const answer = await runtime.infer(body, { headers: { 'accept-encoding': coding } });
    expect(answer.headers).toMatchObject({ 'content-encoding': coding, vary: 'accept-encoding' });
    expect(expand(answer.bytes).toString()).toBe(plain.text);
    expect(answer.bytes.length).toBeLessThan(plain.bytes.length);
  });

  it.each<[string | undefined, number, string | undefined]>([
    [undefined, 5000, undefined],
    ['gzip', 5000, 'gzip'],
    ['gzip', 500, undefined],
    ['br', 5000, undefined],
    ['*', 5000, 'gzip'],
    ['gzip;q=0', 5000, undefined],
    ['gzip;q=0.2, deflate', 5000, 'deflate'],
    ['gzip;q=0.2, identity', 5000, undefined],
    ['GZIP ; q=0.5', 5000, 'gzip'],
    ['gzip;q=x', 5000, undefined],
  ])('for accept-encoding %s and %d bytes: %s', (accepted, bytes, expected) => {
    expect(chooseCoding(accepted, bytes)).toBe(expected);
  });

  it('of a hundred megabytes of nothing are refused at the limit of the plain bytes', async () => {
    const bomb = gzipSync(Buffer.alloc(100 * 2 ** 20, ' '));
    // Small enough to pass as it stands: only its plain bytes are too many.
    expect(bomb.length).toBeGreaterThan(REQUEST_MAX_BYTES);
    const small = gzipSync(Buffer.alloc(REQUEST_MAX_BYTES * 50, ' '));
    expect(small.length).toBeLessThan(REQUEST_MAX_BYTES);
    for (const body of [bomb, small, small, small]) {
      const answer = await runtime.infer(body, { headers: { 'content-encoding': 'gzip' } });
      expect([answer.status, answer.text]).toEqual([413, expect.stringContaining('at most 100000 bytes')]);
    }
    expect(await inFlight()).toBe(0);
    expect((await runtime.infer(sampleRequest)).status).toBe(200);
  });

  it.each([
    ['is none', Buffer.from('{"inputs":[]}')],
    ['ends early', gzipSync(sampleRequest).subarray(0, -12)],
    ['is empty', Buffer.alloc(0)],
  ])('are refused where the gzip %s', async (_how, body) => {
    const answer = await runtime.infer(body, { headers: { 'content-encoding': 'gzip' } });
    expect(answer.status).toBe(400);
    expect(await inFlight()).toBe(0);
  });
});
