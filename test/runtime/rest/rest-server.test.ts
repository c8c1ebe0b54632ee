import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXTENSIONS } from '../../../runtime/inference/data-plane.ts';
import { readReference, sampleRequest } from '../../support/example-models.ts';
import { RuntimeProcess, type Answer, type Ask } from '../../support/runtime-process.ts';

const REQUEST_MAX_BYTES = 60_000;
const patience = { timeout: 30_000 };
let runtime: RuntimeProcess;

beforeAll(async () => {
  runtime = await RuntimeProcess.start({
    HEADGATE_REQUEST_MAX_BYTES: String(REQUEST_MAX_BYTES),
    HEADGATE_REQUESTS_MAX_BYTES: '100000',
  });
}, 60_000);
afterAll(() => runtime.stop());

const metadata = {
  name: 'tumour',
  versions: ['1'],
  platform: 'onnx_onnxv1',
  inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 30] }],
  outputs: [
    { name: 'label', datatype: 'INT64', shape: [-1] },
    { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] },
  ],
};

interface InferAnswer {
  readonly id?: string;
  readonly outputs: readonly { readonly name: string; readonly data: readonly number[] }[];
}

function outputsOf(answer: Answer): InferAnswer['outputs'] {
  return (JSON.parse(answer.text) as InferAnswer).outputs;
}

function errorOf(answer: Answer): string {
  const body = JSON.parse(answer.text) as { readonly error: string };
  expect(Object.keys(body)).toEqual(['error']);
  return body.error;
}

describe('the Open Inference Protocol over REST', { timeout: 60_000 }, () => {
  it.each<[string, unknown]>([
    ['/v2', { name: 'headgate', version: '0.1.0', extensions: EXTENSIONS }],
    ['/v2/health/live', { live: true }],
    ['/v2/health/ready', { ready: true }],
    ['/v2/models/tumour', metadata],
    ['/v2/models/tumour/versions/1', metadata],
    ['/v2/models/tumour/ready', { name: 'tumour', ready: true }],
    ['/v2/models/tumour/versions/1/ready?verbose=1', { name: 'tumour', ready: true }],
  ])('answers GET %s', async (address, expected) => {
    const answer = await runtime.ask(address);
    expect([answer.status, JSON.parse(answer.text)]).toEqual([200, expected]);
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json',
      'x-headgate-revision': 'tumour-7cb4d9f2a1',
    });
  });

  it.each(['/v2/models/tumour/infer', '/v2/models/tumour/versions/1/infer'])(
    'answers POST %s with what scikit-learn answers for eight rows of real data',
    async (address) => {
      const { request, answers } = readReference();
      const answer = await runtime.ask(address, { method: 'POST', body: JSON.stringify(request) });
      const [label, probabilities] = outputsOf(answer);
      expect(label).toEqual({ name: 'label', shape: [8], datatype: 'INT64', data: answers['v1']?.label });
      const differences = probabilities?.data.map((value, index) =>
        Math.abs(value - (answers['v1']?.probabilities[index] ?? NaN)),
      );
      expect(Math.max(...(differences ?? []))).toBeLessThan(1e-5);
    },
  );

  it('echoes the id and answers the outputs that were asked for', async () => {
    const body = sampleRequest.toString().replace('{', '{"id":"a-1","outputs":[{"name":"label"}],');
    const answer = JSON.parse((await runtime.infer(body)).text) as InferAnswer;
    expect(answer.id).toBe('a-1');
    expect(answer.outputs.map(({ name }) => name)).toEqual(['label']);
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'application/vnd.x+json'])(
    'takes content of type %s',
    async (type) => {
      expect((await runtime.infer(sampleRequest, { headers: { 'content-type': type } })).status).toBe(200);
    },
  );

  it("keeps a request's id in the answer, and gives one to a request without a proper one", async () => {
    const given = await runtime.infer(sampleRequest, { headers: { 'x-request-id': 'from-envoy-1' } });
    expect(given.headers['x-request-id']).toBe('from-envoy-1');
    const improper = await runtime.infer(sampleRequest, { headers: { 'x-request-id': 'a b' } });
    expect(improper.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  const infer = '/v2/models/tumour/infer';
  it.each<[number, string, Ask, string]>([
    [404, '/', {}, 'there is nothing at /'],
    [404, '/v2/models/other', {}, "model 'other' is not served here; expected 'tumour'"],
    [404, '/v2/models/tumour/versions/2/infer', { method: 'POST' }, "no version '2'; expected '1'"],
    [404, '/v2/models/tumour/explain', { method: 'POST' }, 'there is nothing at'],
    [405, infer, {}, 'expected POST'],
    [405, '/v2', { method: 'DELETE' }, 'expected GET'],
    [415, infer, { headers: { 'content-type': 'text/csv' } }, "got 'text/csv'"],
    [
      415,
      infer,
      { headers: { 'content-encoding': 'br' } },
      "expected content-encoding gzip, deflate or none, got 'br'",
    ],
    [
      415,
      infer,
      { headers: { 'content-type': 'application/octet-stream' } },
      'with the header inference-header',
    ],
    [413, infer, { body: 'x'.repeat(REQUEST_MAX_BYTES + 1) }, 'expected at most 60000 bytes, got 60001'],
    [400, infer, { body: '' }, 'the end of the body'],
    [400, infer, { body: '{"inputs":[' }, 'at byte 11'],
    [400, infer, { body: '{"inputs":[]}' }, "tensor 'X' is missing"],
    [
      400,
      infer,
      { body: '{"inputs":[{"name":"X","datatype":"FP32","shape":[1,2],"data":[1,2]}]}' },
      "tensor 'X': expected shape [-1,30], got [1,2]",
    ],
  ])('answers %d at %s to %j and says why', async (status, address, ask, words) => {
    const isInfer = address === infer && status !== 405;
    const answer = await runtime.ask(address, isInfer ? { method: 'POST', ...ask } : ask);
    expect(answer.status).toBe(status);
    expect(errorOf(answer)).toContain(words);
    expect(answer.headers['x-request-id']).toBeDefined();
  });

  it('names the method that would be right', async () => {
    expect((await runtime.ask(infer)).headers['allow']).toBe('POST');
  });

  it('answers what is no HTTP with 400 and JSON', async () => {
    const socket = connect(runtime.port, '127.0.0.1');
    socket.write('HELLO\r\n\r\n');
    const answer = await readText(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toContain('{"error":"the request is not valid HTTP: Bad Request"}');
  });

  it('refuses a body without an announced length as soon as it is too large', async () => {
    const socket = connect(runtime.port, '127.0.0.1');
    socket.write(`POST ${infer} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`);
    socket.write(`11170\r\n${'x'.repeat(0x11170)}\r\n`);
    const answer = await readText(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toMatch(/\r\nconnection: close\r\n/i);
  });

  it('sheds with 429 when the bodies of all requests fill their memory, and serves on when they are gone', async () => {
    const held = await holdBody(59_000);
    const large = sampleRequest.toString().padEnd(59_000);
    await expect.poll(async () => (await runtime.infer(large)).status, patience).toBe(429);
    const shed = await runtime.infer(large);
    expect(shed.headers['retry-after']).toBe('1');
    held.destroy();
    await expect.poll(async () => (await runtime.infer(large)).status, patience).toBe(200);
  });

  it('serves many requests at once over few connections', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 4 });
    const answers = await Promise.all(
      Array.from({ length: 400 }, () => runtime.infer(sampleRequest, { agent })),
    );
    agent.destroy();
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    // Batches of other sizes are added up in another order, which shows in the last digit.
    const rounded = answers.map(({ text }) =>
      text.replace(/\d+\.\d+/gu, (number) => Number(number).toFixed(5)),
    );
    expect(new Set(rounded).size).toBe(1);
  });
});

/** A client that sends so much of a body and then nothing. */
async function holdBody(bytes: number): Promise<Socket> {
  const socket = connect(runtime.port, '127.0.0.1');
  const head = `POST /v2/models/tumour/infer HTTP/1.1\r\nhost: x\r\ncontent-length: ${REQUEST_MAX_BYTES}\r\n\r\n`;
  socket.write(head + 'x'.repeat(bytes));
  await runtime.until('holding the body', async () => {
    const { text } = await runtime.askManagement('/headgate/report');
    return (JSON.parse(text) as { inFlight: number }).inFlight === 1;
  });
  return socket;
}
