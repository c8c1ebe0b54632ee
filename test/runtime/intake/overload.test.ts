import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { HttpClient } from '../../../bench/load/http-client.ts';
import { measure } from '../../../bench/measure.ts';
import { readSampleRow } from '../../support/example-models.ts';
import { press } from '../../support/pressure.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

const ROWS = 1000;
const DEADLINE_MS = 500;
/** Read one after the other, as many bodies as there are connections take several times the deadline. */
const CONNECTIONS = 200;
/** Enough that it never waits for them, few enough that none of them waits for long. */
const CALM_CLIENTS = 4;
const CALM_MS = 2000;
const LOAD_MS = 5000;
const pressure = { durationMs: LOAD_MS, firstPerSecond: 200, overload: 4 };
const PROBE_EVERY_MS = 100;

/** Half a megabyte of digits that are slow to read, for which the model takes no time, and a short answer. */
function largeBody(): Buffer {
  const row = readSampleRow();
  const digits = row.map((value) => value.toExponential()).join(',');
  const data = Array.from({ length: ROWS }, () => digits).join(',');
  const input = `"name":"X","datatype":"FP32","shape":[${ROWS},${row.length}],"data":[${data}]`;
  return Buffer.from(`{"inputs":[{${input}}],"outputs":[{"name":"label"}]}`);
}

let runtime: RuntimeProcess | undefined;
let clients: HttpClient[] = [];
afterEach(async () => {
  for (const client of clients) client.close();
  await runtime?.stop();
});

async function probe(server: RuntimeProcess): Promise<{ worstMs: number; bad: number }> {
  const probes = { worstMs: 0, bad: 0 };
  for (const endMs = performance.now() + LOAD_MS; performance.now() < endMs;) {
    const askedAtMs = performance.now();
    const { status } = await server.ask('/v2/health/live');
    if (status !== 200) probes.bad++;
    probes.worstMs = Math.max(probes.worstMs, performance.now() - askedAtMs);
    await pause(PROBE_EVERY_MS);
  }
  return probes;
}

describe('many times as many large bodies as can be read', { timeout: 120_000 }, () => {
  it('are answered in time where they are accepted, refused at once with the time to wait where not, on connections that stay', async () => {
    const server = await RuntimeProcess.start({ HEADGATE_QUEUE_TIMEOUT_MS: String(DEADLINE_MS) });
    runtime = server;
    const body = largeBody();
    clients = Array.from(
      { length: CONNECTIONS },
      () => new HttpClient(server.port, '/v2/models/tumour/infer', body),
    );
    const calm = clients.slice(0, CALM_CLIENTS).map((client) => () => client.ask());
    const { perSecond: capacity } = await measure(calm, CALM_MS);
    const [answered, probes] = await Promise.all([press([...clients], pressure), probe(server)]);
    const shed = answered.filter(({ status }) => status === 429);
    const accepted = answered.filter(({ status }) => status !== 429);
    const inTime = accepted.filter(({ status, latencyMs }) => status === 200 && latencyMs <= DEADLINE_MS);
    expect(answered.filter(({ status }) => ![200, 429, 504].includes(status))).toEqual([]);
    expect(shed.every(({ head }) => /\r\nretry-after: \d+\r\n/iu.test(head))).toBe(true);
    expect(answered.some(({ head }) => /\r\nconnection: close\r\n/iu.test(head))).toBe(false);
    expect(shed.length / answered.length).toBeGreaterThan(0.3);
    // Where nothing is refused by its headers it is less than a tenth, and most of it late.
    expect(inTime.length / (LOAD_MS / 1000) / capacity).toBeGreaterThan(0.2);
    expect(inTime.length / accepted.length).toBeGreaterThan(0.9);
    expect(probes.bad).toBe(0);
    expect(probes.worstMs).toBeLessThan(DEADLINE_MS);
  });
});
