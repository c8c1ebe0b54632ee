import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exampleModelUri, sampleRequest } from '../support/example-models.ts';
import { freePort } from '../bed/free-port.ts';
import { RuntimeProcess } from '../support/runtime-process.ts';
import { RedisServer } from './redis-server.ts';

let port = 0;
const redises: RedisServer[] = [];
const runtimes: RuntimeProcess[] = [];
beforeEach(async () => {
  port = await freePort();
});
afterEach(async () => {
  for (const runtime of runtimes.splice(0)) await runtime.stop();
  for (const redis of redises.splice(0)) await redis.stop();
});

async function startRedis(...options: string[]): Promise<RedisServer> {
  const redis = await RedisServer.start(port, ...options);
  redises.push(redis);
  return redis;
}

async function startRuntime(environment: Readonly<Record<string, string>> = {}): Promise<RuntimeProcess> {
  const runtime = await RuntimeProcess.start({
    HEADGATE_FEEDBACK_ANSWERS: '100',
    HEADGATE_FEEDBACK_REDIS_URL: `redis://127.0.0.1:${port}`,
    ...environment,
  });
  runtimes.push(runtime);
  return runtime;
}

async function keysOf(redis: RedisServer): Promise<number> {
  return Number(/:(\d+)/u.exec(await redis.command('DBSIZE'))?.[1]);
}

function infer(runtime: RuntimeProcess, id: string): Promise<{ status: number; text: string }> {
  return runtime.infer(sampleRequest, { headers: { 'x-request-id': id } });
}

async function label(runtime: RuntimeProcess, id: string, value = 1): Promise<number> {
  const body = JSON.stringify({ request_id: id, label: value });
  return (await runtime.ask('/feedback', { method: 'POST', body })).status;
}

/** Rows with a label by the revision that answered, over all these pods. */
async function labelledRows(...pods: RuntimeProcess[]): Promise<Readonly<Record<string, number>>> {
  const rows: Record<string, number> = {};
  for (const pod of pods) {
    const { text } = await pod.askManagement('/metrics');
    for (const [, revision = '', value] of text.matchAll(
      /^headgate_feedback_rows_total\{.*revision="([^"]+)".*\} (\d+)$/gmu,
    ))
      rows[revision] = (rows[revision] ?? 0) + Number(value);
  }
  return rows;
}

describe('labels where answers wait in a Redis', () => {
  it('find the answer of another pod, for as long as was set', async () => {
    const redis = await startRedis();
    const [first, second] = [await startRuntime(), await startRuntime()];
    await infer(first, 'one');
    await expect.poll(() => keysOf(redis)).toBe(1);
    const key = /headgate:feedback:[0-9a-f]{64}/u.exec(await redis.command('KEYS *'))?.[0] ?? '';
    expect(Number(/:(\d+)/u.exec(await redis.command(`PTTL ${key}`))?.[1])).toBeGreaterThan(86_000_000);
    expect(await label(second, 'one')).toBe(200);
    expect([await label(first, 'one'), await label(second, 'one')]).toEqual([404, 404]);
    expect(await labelledRows(first, second)).toEqual({ 'tumour-7cb4d9f2a1': 1 });
  });

  it('count once, however many pods they come to at one time', async () => {
    const redis = await startRedis();
    const pods = [await startRuntime(), await startRuntime()];
    const [first] = pods;
    const ids = Array.from({ length: 50 }, (_, number) => `request-${number}`);
    for (const id of ids) await infer(first as RuntimeProcess, id);
    await expect.poll(() => keysOf(redis)).toBe(50);
    const statuses = await Promise.all(ids.flatMap((id) => [...pods, ...pods].map((pod) => label(pod, id))));
    expect(statuses.filter((status) => status === 200)).toHaveLength(50);
    expect(statuses.filter((status) => status === 404)).toHaveLength(150);
    expect(await labelledRows(...pods)).toEqual({ 'tumour-7cb4d9f2a1': 50 });
  });

  it('count for the revision that answered, also after the last pod of it has gone', async () => {
    const redis = await startRedis();
    const before = await startRuntime();
    const after = await startRuntime({
      HEADGATE_REVISION: 'tumour-2222222222',
      HEADGATE_MODEL_URI: exampleModelUri('v2.onnx'),
    });
    await infer(before, 'one');
    await infer(after, 'two');
    await expect.poll(() => keysOf(redis)).toBe(2);
    await runtimes.shift()?.stop();
    expect([await label(after, 'one'), await label(after, 'two')]).toEqual([200, 200]);
    expect(await labelledRows(after)).toEqual({ 'tumour-7cb4d9f2a1': 1, 'tumour-2222222222': 1 });
  });

  it('of another model with the same ids change nothing', async () => {
    const redis = await startRedis();
    const [first, other] = [await startRuntime(), await startRuntime({ HEADGATE_NAMESPACE: 'elsewhere' })];
    await infer(first, 'one');
    await expect.poll(() => keysOf(redis)).toBe(1);
    expect(await label(other, 'one')).toBe(404);
    expect(await label(first, 'one')).toBe(200);
  });

  it('that do not fit leave the answer to those that do', async () => {
    const redis = await startRedis();
    const runtime = await startRuntime();
    await infer(runtime, 'one');
    await expect.poll(() => keysOf(redis)).toBe(1);
    const body = JSON.stringify({ request_id: 'one', labels: [1, 2, 3] });
    expect((await runtime.ask('/feedback', { method: 'POST', body })).status).toBe(400);
    expect(await label(runtime, 'one')).toBe(200);
  });

  it('are told that Redis is away, while the model answers as fast as ever', async () => {
    const runtime = await startRuntime();
    expect((await infer(runtime, 'early')).status).toBe(200);
    expect(await label(runtime, 'early')).toBe(503);
    const redis = await startRedis();
    await expect.poll(() => label(runtime, 'early'), { timeout: 20_000 }).toBe(404);
    redis.kill('SIGSTOP');
    const startedAtMs = performance.now();
    for (let number = 0; number < 100; number++)
      expect((await infer(runtime, `request-${number}`)).status).toBe(200);
    // Two that waited for Redis would have taken that long.
    expect(performance.now() - startedAtMs).toBeLessThan(1000);
    expect(await label(runtime, 'request-0')).toBe(503);
    redis.kill('SIGCONT');
    await expect
      .poll(
        async () => {
          await infer(runtime, 'late');
          return label(runtime, 'late');
        },
        { timeout: 20_000 },
      )
      .toBe(200);
  });
});
