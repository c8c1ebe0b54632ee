import { describe, expect, it } from 'vitest';
import { SharedAnswers } from '../../../runtime/feedback/shared-answers.ts';
import type { WaitingAnswer } from '../../../runtime/feedback/waiting-answers.ts';
import { createLog } from '../../../runtime/log.ts';
import type { RedisConnection } from '../../../runtime/redis/connection.ts';
import { PatientRedis } from '../../../runtime/redis/patient-redis.ts';

/** What no real Redis does when a test wants it: the real one is in test/redis. */
function build(kept: Map<string, Buffer>, given: Partial<RedisConnection> & { namespace?: string } = {}) {
  const log = createLog('error', {});
  const connection: RedisConnection = {
    get: (key) => Promise.resolve(kept.get(key) ?? null),
    getAndDelete: (key) => {
      const value = kept.get(key) ?? null;
      kept.delete(key);
      return Promise.resolve(value);
    },
    set: (key, value) => Promise.resolve(kept.set(key, value)),
    close: () => undefined,
    ...given,
  };
  const options = { url: '', passwordFile: undefined, use: 'feedback', patienceMs: 10, log } as const;
  return new SharedAnswers({
    redis: new PatientRedis(options, () => Promise.resolve(connection)),
    keptMs: 1000,
    namespace: given.namespace ?? 'ml',
    modelName: 'fraud',
  });
}

const answer: WaitingAnswer = { revision: 'fraud-1', modelDigest: null, predicted: ['cat'] };

describe('answers that wait in a Redis', () => {
  it('are found until one takes them', async () => {
    const answers = build(new Map());
    answers.keep('a', answer);
    expect([await answers.find('a'), await answers.find('a')]).toEqual([answer, answer]);
    expect([await answers.take('a'), await answers.take('a')]).toEqual([answer, undefined]);
  });

  it('are those of one model in one namespace', async () => {
    const kept = new Map<string, Buffer>();
    build(kept).keep('a', answer);
    expect(await build(kept, { namespace: 'other' }).find('a')).toBeUndefined();
  });

  it('have keys of one length, whatever id the client chose', async () => {
    const kept = new Map<string, Buffer>();
    const answers = build(kept);
    for (const id of ['', '* \r\n', 'x'.repeat(10_000)]) answers.keep(id, answer);
    await expect.poll(() => kept.size).toBe(3);
    expect([...kept.keys()].filter((key) => !/^headgate:feedback:[0-9a-f]{64}$/u.test(key))).toEqual([]);
  });

  it('are not written where they are large', async () => {
    const answers = build(new Map());
    answers.keep('large', { ...answer, predicted: ['x'.repeat(40_000)] });
    answers.keep('small', answer);
    expect(await answers.find('small')).toEqual(answer);
    expect(await answers.find('large')).toBeUndefined();
  });

  it.each([
    ['no JSON', 'nonsense'],
    ['no object', 'null'],
    ['a list', '[]'],
    ['of no revision', '{"predicted":["cat"]}'],
    ['of a revision that is no name', '{"revision":"fraud 1","predicted":["cat"]}'],
    ['without a prediction', '{"revision":"fraud-1"}'],
    ['a prediction of nothing', '{"revision":"fraud-1","predicted":[null]}'],
    ['large', JSON.stringify({ ...answer, predicted: Array<string>(10_000).fill('cat') })],
  ])('are not believed where they are %s', async (_name, text) => {
    const answers = build(new Map(), { get: () => Promise.resolve(Buffer.from(text)) });
    expect(await answers.find('a')).toBeUndefined();
  });

  it.each<[string, Partial<RedisConnection>]>([
    ['fails', { get: () => Promise.reject(new Error('closed')) }],
    ['never answers', { get: () => new Promise(() => undefined) }],
  ])('cannot be told of by a Redis that %s', async (_name, connection) => {
    await expect(build(new Map(), connection).find('a')).rejects.toMatchObject({
      reason: 'FeedbackUnavailable',
      retryAfterSeconds: 1,
    });
  });
});
