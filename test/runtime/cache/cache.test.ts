import { afterEach, describe, expect, it } from 'vitest';
import { readReference, sampleRequest } from '../../support/example-models.ts';
import type { ModelStatistics } from '../../../runtime/inference/statistics.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

let runtime: RuntimeProcess | undefined;
afterEach(() => runtime?.stop());

/** How often the model ran, and how many requests are under way. */
async function countsOf(server: RuntimeProcess): Promise<{ runs: number; inFlight: number }> {
  const { text } = await server.ask('/v2/models/tumour/stats');
  const { model_stats } = JSON.parse(text) as { readonly model_stats: readonly ModelStatistics[] };
  const report = JSON.parse((await server.askManagement('/headgate/report')).text) as { inFlight: number };
  return { runs: model_stats[0]?.execution_count ?? NaN, inFlight: report.inFlight };
}

describe('a server with a cache', { timeout: 60_000 }, () => {
  it('runs the model once for a hundred equal requests that come together', async () => {
    const server = await RuntimeProcess.start({ HEADGATE_CACHE_TTL_MS: '60000' });
    runtime = server;
    process.kill(server.executorProcessId, 'SIGSTOP');
    const asked = Array.from({ length: 100 }, () => server.infer(sampleRequest));
    await server.until('in receipt of all', async () => (await countsOf(server)).inFlight === 100);
    process.kill(server.executorProcessId, 'SIGCONT');
    const answers = await Promise.all(asked);
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(answers[0]?.status).toBe(200);
    const statuses = answers.map(({ headers }) => headers['cache-status']);
    expect(statuses.filter((status) => status === 'headgate; fwd=miss; stored')).toHaveLength(1);
    expect(statuses.filter((status) => status === 'headgate; fwd=miss; collapsed')).toHaveLength(99);
    expect((await countsOf(server)).runs).toBe(1);
  });

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
