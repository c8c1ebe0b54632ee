import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ParameterValue } from '../../../runtime/inference/inference.ts';
import { deadlineOf } from '../../../runtime/queue/deadline.ts';
import { sampleRequest } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

function deadline(timeout: ParameterValue | undefined, protocolAtMs?: number, timeoutMs?: number) {
  const parameters = new Map(timeout === undefined ? [] : [['timeout', timeout] as const]);
  return deadlineOf(parameters, { arrivedAtMs: 1000, deadlineAtMs: protocolAtMs, timeoutMs });
}

describe('the deadline of a request', () => {
  it.each<[string, ReturnType<typeof deadline>, number | undefined]>([
    ['none at all', deadline(undefined), undefined],
    ['its own timeout, in microseconds', deadline(2500), 1002.5],
    ['its own timeout as text', deadline('250000'), 1250],
    ['its own timeout as a large number', deadline(10n ** 17n), 1000 + 1e14],
    ['no own timeout, written as 0', deadline(0), undefined],
    ["the protocol's", deadline(undefined, 1200), 1200],
    ["the configuration's", deadline(undefined, undefined, 300), 1300],
    ['the earliest of all three: its own', deadline(100_000, 1200, 300), 1100],
    ["the earliest of all three: the protocol's", deadline(400_000, 1200, 300), 1200],
    ["the earliest of all three: the configuration's", deadline(400_000, 1500, 300), 1300],
  ])('is %s', (_, found, expected) => {
    expect(found).toBe(expected);
  });

  it.each([-1, 1.5, true, '5ms', ''])('is refused when the timeout is %s', (timeout) => {
    expect(() => deadline(timeout)).toThrow(
      /^parameter 'timeout': expected a whole number of microseconds, got '/u,
    );
  });
});

describe('a request over REST', () => {
  let runtime: RuntimeProcess;
  beforeAll(async () => (runtime = await RuntimeProcess.start()));
  afterAll(() => runtime.stop());

  async function askWithin(timeout: unknown) {
    const request = JSON.parse(sampleRequest.toString()) as object;
    const { status, text } = await runtime.infer(JSON.stringify({ ...request, parameters: { timeout } }));
    return { status, error: (JSON.parse(text) as { error?: string }).error };
  }

  it('is answered within its timeout, and not at all when that is over', async () => {
    expect(await askWithin(60_000_000)).toEqual({ status: 200, error: undefined });
    expect(await askWithin(1)).toEqual({
      status: 504,
      error: "the request's deadline passed before the model could run it",
    });
    expect((await askWithin('soon')).status).toBe(400);
  });
});
