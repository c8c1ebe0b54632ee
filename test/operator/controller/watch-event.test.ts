import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../operator/controller/errors.ts';
import {
  isEndOfList,
  parseWatchEvent,
  UnreadableEventError,
} from '../../../operator/controller/watch-event.ts';

const object = { metadata: { name: 'a', uid: 'u', resourceVersion: '7' } };

describe('a line of a watch', () => {
  it.each(['ADDED', 'MODIFIED', 'DELETED'])('of type %s is an event', (type) => {
    expect(parseWatchEvent(JSON.stringify({ type, object }))).toEqual({ type, object });
  });

  it('is the end of a list only where a bookmark says so', () => {
    const annotations = { 'k8s.io/initial-events-end': 'true' };
    const bookmark = (metadata: object): string => JSON.stringify({ type: 'BOOKMARK', object: { metadata } });
    const ends = [bookmark({ resourceVersion: '7' }), bookmark({ resourceVersion: '7', annotations })];
    expect(ends.map((line) => isEndOfList(parseWatchEvent(line)))).toEqual([false, true]);
  });

  it.each([
    '}{',
    '',
    'null',
    '7',
    '{"type":"ADDED"}',
    '{"type":"ADDED","object":null}',
    '{"type":"ADDED","object":{}}',
    '{"type":"ADDED","object":{"metadata":{"name":"a","uid":"u"}}}',
    '{"type":"ADDED","object":{"metadata":{"name":"a","uid":"u","resourceVersion":7}}}',
    '{"type":"ADDED","object":{"metadata":{"name":"a","uid":"u","resourceVersion":"7x"}}}',
    '{"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"7"}}}',
    '{"type":"ADDED","object":{"metadata":{"uid":"u","resourceVersion":"7"}}}',
    '{"type":"BOOKMARK","object":{"metadata":{}}}',
    '{"type":"SURPRISE","object":{"metadata":{"name":"a","uid":"u","resourceVersion":"7"}}}',
  ])('is refused where it is no event: %s', (line) => {
    expect(() => parseWatchEvent(line)).toThrow(UnreadableEventError);
  });

  it('that reports an error is that error, and says when to come back', () => {
    const status = {
      code: 429,
      reason: 'TooManyRequests',
      message: 'later',
      details: { retryAfterSeconds: 2 },
    };
    expect(() => parseWatchEvent(JSON.stringify({ type: 'ERROR', object: status }))).toThrow(
      new ApiError(429, 'TooManyRequests', 'later', { retryAfterMs: 2_000 }),
    );
    expect(() => parseWatchEvent('{"type":"ERROR"}')).toThrow(ApiError);
  });
});
