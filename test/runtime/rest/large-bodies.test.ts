import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Dice } from '../../support/dice.ts';
import { buildOnnxModel } from '../../support/onnx-model.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'headgate-large-'));
const modelPath = path.join(folder, 'echo.onnx');
const VALUES = 50_000;
const CLIENTS = 8;
const REQUESTS_EACH = 30;

beforeAll(() =>
  writeFileSync(modelPath, buildOnnxModel([{ name: 'x', type: 'FP32', shape: ['rows', VALUES] }])),
);
afterAll(() => rmSync(folder, { recursive: true }));

type Manner = 'Waits' | 'HangsUp' | 'HasNoTime';

interface Exchange {
  readonly status: number;
  readonly body: Buffer;
}

/** All values of a request are one number that no other request has. */
function bodyOf(value: number, manner: Manner): { readonly json: Buffer; readonly bytes: Buffer } {
  const data = new Float32Array(VALUES).fill(value);
  const json = JSON.stringify({
    inputs: [
      {
        ...{ name: 'x', datatype: 'FP32', shape: [1, VALUES] },
        parameters: { binary_data_size: data.byteLength },
      },
    ],
    outputs: [{ name: 'x_out', parameters: { binary_data: true } }],
    ...(manner === 'HasNoTime' ? { parameters: { timeout: 2000 } } : {}),
  });
  return { json: Buffer.from(json), bytes: Buffer.from(data.buffer) };
}

/** Undefined where there is no answer. */
function ask(
  { agent, port }: { readonly agent: Agent; readonly port: number },
  value: number,
  { manner, afterMs }: { readonly manner: Manner; readonly afterMs: number },
): Promise<Exchange | undefined> {
  const { json, bytes } = bodyOf(value, manner);
  return new Promise<Exchange | undefined>((resolve) => {
    const call = request({
      ...{ agent, port, method: 'POST', path: '/v2/models/tumour/infer' },
      headers: {
        'content-type': 'application/octet-stream',
        'inference-header-content-length': json.length,
        'content-length': json.length + bytes.length,
      },
    });
    call.on('error', () => resolve(undefined));
    call.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => resolve(undefined));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
    });
    call.end(Buffer.concat([json, bytes]), () => {
      if (manner === 'HangsUp') void pause(afterMs).then(() => call.destroy());
    });
  });
}

function echoed({ body }: Exchange): Float32Array {
  const data = body.subarray(body.length - VALUES * Float32Array.BYTES_PER_ELEMENT);
  return new Float32Array(Uint8Array.from(data).buffer);
}

/** What one client after the other, and all of them side by side, got. */
class Tally {
  answered = 0;
  refused = 0;
  gone = 0;
  readonly wrong: string[] = [];

  count(value: number, exchange: Exchange | undefined): void {
    if (exchange === undefined) this.gone++;
    else if (exchange.status !== 200) this.refused++;
    else {
      this.answered++;
      const other = echoed(exchange).find((got) => got !== value);
      if (other !== undefined) this.wrong.push(`${value} was answered with ${other}`);
    }
  }
}

const manners = ['Waits', 'Waits', 'HangsUp', 'HasNoTime'] as const satisfies readonly Manner[];

/** Of each request there are two at one time: with a cache, one of them flies for both. */
async function goOnAsking(port: number, index: number, tally: Tally): Promise<void> {
  const dice = new Dice(index);
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  for (let turn = 0; turn < REQUESTS_EACH; turn++) {
    const value = index * REQUESTS_EACH + turn + 1;
    const manner = manners[dice.below(manners.length)] ?? 'Waits';
    const afterMs = dice.below(12);
    const [first, second] = await Promise.all([
      ask({ agent, port }, value, { manner, afterMs }),
      ask({ agent, port }, value, { manner: 'Waits', afterMs }),
    ]);
    tally.count(value, first);
    tally.count(value, second);
  }
  agent.destroy();
}

describe.each([
  ['without a cache', {}],
  ['with a cache', { HEADGATE_CACHE_TTL_MS: '60000' }],
])('large bodies that come side by side, %s', (_, settings) => {
  let runtime: RuntimeProcess;

  beforeAll(async () => {
    runtime = await RuntimeProcess.start({ HEADGATE_MODEL_URI: pathToFileURL(modelPath).href, ...settings });
  }, 60_000);
  afterAll(() => runtime.stop());

  it('are answered each with its own, whatever becomes of the others', { timeout: 120_000 }, async () => {
    const tally = new Tally();
    const clients = Array.from({ length: CLIENTS }, (__, index) => goOnAsking(runtime.port, index, tally));
    await Promise.all(clients);
    expect(tally.wrong).toEqual([]);
    // Or nothing was tried.
    expect(tally.answered).toBeGreaterThan(CLIENTS * REQUESTS_EACH);
    expect(tally.gone).toBeGreaterThan(5);
  });
});
