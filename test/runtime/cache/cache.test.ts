import { afterEach, describe, expect, it } from 'vitest';
import { readReference, sampleRequest } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

let runtime: RuntimeProcess | undefined;
afterEach(() => runtime?.stop());

describe('a server with a cache', () => {
  it('answers what it was asked before while the process that runs the model stands still', async () => {
    const server = await RuntimeProcess.start({ HEADGATE_CACHE_TTL_MS: '60000' });
    runtime = server;
    const first = await server.infer(sampleRequest);
    process.kill(server.executorProcessId, 'SIGSTOP');
    const request = JSON.parse(sampleRequest.toString()) as object;
    // In another form, and with an id of its own.
    const again = await server.infer(JSON.stringify({ id: '7', ...request }, undefined, 2));
    expect(JSON.parse(again.text)).toEqual({ ...(JSON.parse(first.text) as object), id: '7' });
    expect([first, again].map(({ headers }) => headers['cache-status'])).toEqual([
      'headgate; fwd=miss; stored',
      'headgate; hit',
    ]);
    const other = server.infer(JSON.stringify(readReference().request));
    process.kill(server.executorProcessId, 'SIGCONT');
    expect((await other).status).toBe(200);
  });
});
