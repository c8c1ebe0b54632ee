import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RedisStore } from '../../../runtime/cache/redis-store.ts';
import { createLog } from '../../../runtime/log.ts';
import type { RedisConnection } from '../../../runtime/redis/connection.ts';
import { PatientRedis } from '../../../runtime/redis/patient-redis.ts';
import type { Tensor } from '../../../runtime/tensor/datatype.ts';
import { valueOf } from '../../support/scraped.ts';

/** What no real Redis does when a test wants it: the real one is in test/redis. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const outputs: Tensor[] = [{ name: 'y', datatype: 'FP32', shape: [1], data: Float32Array.of(1.5) }];

function build(connection: Partial<RedisConnection>) {
  const log = createLog('error', {});
  const options = {
    url: 'redis://127.0.0.1',
    passwordFile: undefined,
    use: 'cache',
    patienceMs: 50,
    log,
  } as const;
  const whole: RedisConnection = {
    get: () => Promise.resolve(null),
    getAndDelete: () => Promise.resolve(null),
    set: () => Promise.resolve(null),
    close: () => undefined,
    ...connection,
  };
  return new RedisStore(new PatientRedis(options, () => Promise.resolve(whole)), 1000);
}

describe('a Redis that never answers', () => {
  it('costs one request 50 ms, and those of the next second nothing', async () => {
    let asked = 0;
    const store = build({
      get: () => {
        asked++;
        return new Promise(() => undefined);
      },
    });
    const first = store.get('a');
    await vi.advanceTimersByTimeAsync(50);
    expect(await first).toBeUndefined();
    for (let request = 0; request < 100; request++) expect(await store.get('a')).toBeUndefined();
    expect([asked, performance.now()]).toEqual([1, expect.closeTo(50, 0)]);
    expect(valueOf(store, 'headgate_cache_redis_failures_total')).toBe(1);
    expect(valueOf(store, 'headgate_cache_redis_skipped_total')).toBe(100);
    expect(valueOf(store, 'headgate_cache_redis_away')).toBe(1);
    await vi.advanceTimersByTimeAsync(1000);
    const [again, others] = [store.get('a'), store.get('a')];
    expect(await others).toBeUndefined();
    await vi.advanceTimersByTimeAsync(50);
    expect(await again).toBeUndefined();
    expect(asked).toBe(2);
  });
});

describe('a Redis that fails', () => {
  it('is asked again after a second and used as soon as it answers', async () => {
    let isAway = true;
    const kept = new Map<string, Buffer>();
    const store = build({
      get: (key) => (isAway ? Promise.reject(new Error('closed')) : Promise.resolve(kept.get(key) ?? null)),
      set: (key, value) => Promise.resolve(kept.set(key, value)),
    });
    expect(await store.get('a')).toBeUndefined();
    isAway = false;
    expect(await store.get('a')).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1000);
    expect(await store.get('a')).toBeUndefined();
    store.set('a', outputs);
    expect(await store.get('a')).toEqual(outputs);
    expect(valueOf(store, 'headgate_cache_redis_away')).toBe(0);
  });

  it('gives no answer that is damaged or of another key', async () => {
    const kept = new Map<string, Buffer>();
    const store = build({
      get: () => Promise.resolve([...kept.values()][0] ?? null),
      set: (key, value) => Promise.resolve(kept.set(key, value)),
    });
    store.set('a', outputs);
    expect(await store.get('a')).toEqual(outputs);
    expect(await store.get('b')).toBeUndefined();
  });
});

describe('what is written to a Redis', () => {
  it('ends after the time that answers are kept', async () => {
    const times: number[] = [];
    const store = build({ set: (_key, _value, ttlMs) => Promise.resolve(times.push(ttlMs)) });
    store.set('a', outputs);
    await vi.advanceTimersByTimeAsync(0);
    expect(times).toEqual([1000]);
  });

  it('is no answer that is larger than what asking the model again costs', async () => {
    const sizes: number[] = [];
    const store = build({ set: (_key, value) => Promise.resolve(sizes.push(value.length)) });
    const answerOf = (elements: number): Tensor[] => [
      { name: 'y', datatype: 'FP32', shape: [elements], data: new Float32Array(elements) },
    ];
    store.set('large', answerOf(2 ** 18));
    store.set('small', answerOf(2 ** 18 - 100));
    await vi.advanceTimersByTimeAsync(0);
    expect(sizes).toEqual([expect.closeTo(2 ** 20 - 400, -3)]);
  });

  it('does not pile up where Redis takes nothing', async () => {
    let writes = 0;
    const store = build({
      set: () => {
        writes++;
        return new Promise(() => undefined);
      },
    });
    for (let answer = 0; answer < 1000; answer++) store.set(String(answer), outputs);
    await vi.advanceTimersByTimeAsync(0);
    expect(writes).toBe(256);
    await vi.advanceTimersByTimeAsync(50 + 1000);
    store.set('again', outputs);
    await vi.advanceTimersByTimeAsync(0);
    expect(writes).toBe(257);
  });
});
