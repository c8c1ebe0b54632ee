import { afterEach, describe, expect, it } from 'vitest';
import { sampleRequest } from '../../support/example-models.ts';
import { RuntimeProcess, type LogLine } from '../../support/runtime-process.ts';

let runtime: RuntimeProcess;
afterEach(() => runtime.stop());

function accessLines(): LogLine[] {
  return runtime.log.filter(({ message }) => message === 'infer request');
}

const stage = expect.any(Number) as number;

describe('the access log', { timeout: 60_000 }, () => {
  it('tells at level debug of each request, with its id and where its time went', async () => {
    runtime = await RuntimeProcess.start({ HEADGATE_LOG_LEVEL: 'debug' });
    const good = await runtime.infer(sampleRequest, { headers: { 'x-request-id': 'good' } });
    const bad = await runtime.infer('{', { headers: { 'x-request-id': 'bad' } });
    expect(good.headers['server-timing']).toMatch(
      /^parse;dur=[\d.]+, queue;dur=[\d.]+, compute;dur=[\d.]+, serialise;dur=[\d.]+, batch;desc="rows=1", total;dur=[\d.]+$/u,
    );
    expect(bad.headers['server-timing']).toMatch(/^total;dur=[\d.]+$/u);
    await runtime.until('done with both lines', () => accessLines().length === 2);
    expect(accessLines()).toMatchObject([
      {
        level: 'debug',
        requestId: 'good',
        protocol: 'rest',
        origin: 'User',
        status: 200,
        reason: 'Answered',
        latencyMs: stage,
        parseMs: stage,
        queueMs: stage,
        computeMs: stage,
        serialiseMs: stage,
      },
      { requestId: 'bad', status: 400, reason: 'MalformedRequest', latencyMs: stage },
    ]);
    expect(accessLines()[1]).not.toHaveProperty('computeMs');
  });

  it('is silent at level info', async () => {
    runtime = await RuntimeProcess.start();
    await runtime.infer(sampleRequest);
    runtime.kill('SIGTERM');
    await runtime.exitCode();
    expect(accessLines()).toEqual([]);
  });
});
