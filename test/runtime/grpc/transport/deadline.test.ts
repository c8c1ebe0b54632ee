import { describe, expect, it } from 'vitest';
import { readTimeoutMs } from '../../../../runtime/grpc/transport/deadline.ts';

describe('grpc-timeout', () => {
  it.each<[string | undefined, number | undefined]>([
    [undefined, undefined],
    ['0m', 0],
    ['250m', 250],
    ['3S', 3000],
    ['2M', 120_000],
    ['1H', 3_600_000],
    ['99999999H', 99_999_999 * 3_600_000],
    ['1500u', 1.5],
    ['500000n', 0.5],
  ])('%s is %s ms', (text, expected) => {
    expect(readTimeoutMs(text)).toBe(expected);
  });

  it.each(['', '5', 'S', '123456789S', '-1S', '1.5S', '5s', ' 5S'])("'%s' is refused", (text) => {
    expect(() => readTimeoutMs(text)).toThrow(/grpc-timeout/);
  });
});
