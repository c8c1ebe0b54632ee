import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { exampleModelUri, sampleRequest } from '../support/example-models.ts';
import { freePort } from '../bed/free-port.ts';
import { RuntimeProcess } from '../support/runtime-process.ts';
import { RedisServer } from './redis-server.ts';

let port = 0;
let folder = '';
const redises: RedisServer[] = [];
const runtimes: RuntimeProcess[] = [];
beforeEach(async () => {
  port = await freePort();
  folder = mkdtempSync(path.join(tmpdir(), 'headgate-redis-test-'));
});
afterEach(async () => {
  for (const runtime of runtimes.splice(0)) await runtime.stop();
  for (const redis of redises.splice(0)) await redis.stop();
  rmSync(folder, { recursive: true });
});

async function startRedis(...options: string[]): Promise<RedisServer> {
  const redis = await RedisServer.start(port, ...options);
  redises.push(redis);
  return redis;
}

async function startRuntime(environment: Readonly<Record<string, string>> = {}): Promise<RuntimeProcess> {
  const runtime = await RuntimeProcess.start({
    HEADGATE_CACHE_TTL_MS: '60000',
    HEADGATE_CACHE_REDIS_URL: `redis://127.0.0.1:${port}`,
    ...environment,
  });
  runtimes.push(runtime);
  return runtime;
}

async function keysOf(redis: RedisServer): Promise<number> {
  return Number(/:(\d+)/u.exec(await redis.command('DBSIZE'))?.[1]);
}

/** Answers, though the process that runs the model stands still: it can only have it from Redis. */
async function answersWithoutModel(runtime: RuntimeProcess): Promise<string> {
  process.kill(runtime.executorProcessId, 'SIGSTOP');
  const { status, text } = await runtime.infer(sampleRequest);
  process.kill(runtime.executorProcessId, 'SIGCONT');
  expect(status).toBe(200);
  return text;
}

describe('a cache in Redis', () => {
  it('gives one pod the answers of another, for as long as was set', async () => {
    const redis = await startRedis();
    const [first, second] = [await startRuntime(), await startRuntime()];
    const { text } = await first.infer(sampleRequest);
    await expect.poll(() => keysOf(redis)).toBe(1);
    expect(await answersWithoutModel(second)).toBe(text);
    const key = /headgate:[0-9a-f]{64}/u.exec(await redis.command('KEYS *'))?.[0] ?? '';
    expect(Number(/:(\d+)/u.exec(await redis.command(`PTTL ${key}`))?.[1])).toBeGreaterThan(30_000);
  });

  it('gives no pod of another model the answer', async () => {
    const redis = await startRedis();
    const [first, other] = [
      await startRuntime(),
      await startRuntime({ HEADGATE_MODEL_URI: exampleModelUri('v2.onnx') }),
    ];
    const answers = [await first.infer(sampleRequest), await other.infer(sampleRequest)];
    expect(answers[0]?.text).not.toBe(answers[1]?.text);
    await expect.poll(() => keysOf(redis)).toBe(2);
  });

  it('that holds nonsense is not believed', async () => {
    const redis = await startRedis();
    const runtime = await startRuntime();
    const { text } = await runtime.infer(sampleRequest);
    await expect.poll(() => keysOf(redis)).toBe(1);
    const key = /headgate:[0-9a-f]{64}/u.exec(await redis.command('KEYS *'))?.[0] ?? '';
    for (const spoil of [`SET ${key} nonsense`, `SETRANGE ${key} 40 x`, `DEL ${key}`, `LPUSH ${key} x`]) {
      await redis.command(spoil);
      expect((await runtime.infer(sampleRequest)).text).toBe(text);
    }
  });

  it('that is away, comes and is killed costs no request its answer', async () => {
    const runtime = await startRuntime();
    const ask = async (): Promise<void> => expect((await runtime.infer(sampleRequest)).status).toBe(200);
    await ask();
    const redis = await startRedis();
    await expect
      .poll(
        async () => {
          await ask();
          return keysOf(redis);
        },
        { timeout: 20_000 },
      )
      .toBe(1);
    redis.kill('SIGKILL');
    for (let request = 0; request < 20; request++) await ask();
    const { text } = await runtime.askManagement('/metrics');
    expect(text).toMatch(/^headgate_cache_redis_away\{.*\} 1$/mu);
    expect(text).toMatch(/^headgate_cache_redis_failures_total\{.*\} [1-9]/mu);
  });

  it('that stands still makes requests slower by a bounded amount, and comes back by itself', async () => {
    const redis = await startRedis();
    const runtime = await startRuntime();
    await runtime.infer(sampleRequest);
    await expect.poll(() => keysOf(redis)).toBe(1);
    redis.kill('SIGSTOP');
    const startedAtMs = performance.now();
    for (let request = 0; request < 50; request++)
      expect((await runtime.infer(sampleRequest)).status).toBe(200);
    // Fifty that wait for Redis would take 2.5 s; one in each second does.
    expect(performance.now() - startedAtMs).toBeLessThan(2000);
    redis.kill('SIGCONT');
    await expect
      .poll(() => runtime.infer(sampleRequest).then(() => hits(redis)), { timeout: 20_000 })
      .toBeGreaterThan(0);
  });

  it('asks for a password when there is one, and for the present one when it is replaced', async () => {
    await startRedis('--requirepass', 'sesame');
    const passwordFile = path.join(folder, 'password');
    const runtime = await startRuntime({ HEADGATE_CACHE_REDIS_PASSWORD_FILE: passwordFile });
    const isUsed = async (): Promise<boolean> => {
      await runtime.infer(sampleRequest);
      const { text } = await runtime.askManagement('/metrics');
      return /^headgate_cache_redis_away\{.*\} 0$/mu.test(text);
    };
    expect(await isUsed()).toBe(false);
    for (const password of ['sesame', 'open sesame']) {
      await redises.splice(0)[0]?.stop();
      await startRedis('--requirepass', password);
      writeFileSync(passwordFile, `${password}\n`);
      await expect.poll(isUsed, { timeout: 20_000 }).toBe(true);
    }
  });
});

async function hits(redis: RedisServer): Promise<number> {
  return Number(/keyspace_hits:(\d+)/u.exec(await redis.command('INFO stats'))?.[1]);
}
