import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { exampleModelUri, readSampleRow } from '../../support/example-models.ts';
import { GrpcClient } from '../../support/grpc-client.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

const patience = { timeout: 30_000 };
const running: RuntimeProcess[] = [];
const clients: GrpcClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const runtime of running.splice(0)) await runtime.stop();
});

async function start(environment: Readonly<Record<string, string>> = {}): Promise<RuntimeProcess> {
  const runtime = await RuntimeProcess.start(environment);
  running.push(runtime);
  return runtime;
}

function connectTo({ grpcPort }: RuntimeProcess): GrpcClient {
  const client = new GrpcClient(grpcPort);
  clients.push(client);
  return client;
}

const values = readSampleRow();
const sample = {
  model_name: 'tumour',
  inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 30], contents: { fp32_contents: values } }],
};

async function connectionsOf(runtime: RuntimeProcess): Promise<number> {
  const { text } = await runtime.askManagement('/headgate/report');
  return (JSON.parse(text) as { lastConnectionSecondsAgo: number }).lastConnectionSecondsAgo;
}

describe('SIGTERM under load over gRPC', { timeout: 60_000 }, () => {
  it('fails no request: clients are sent to other connections while this server still answers', async () => {
    const runtime = await start({ HEADGATE_DRAIN_SECONDS: '3' });
    const seen = { answered: 0, codes: new Set<number>() };
    let isWithdrawn = false;
    const load = Array.from({ length: 8 }, () => connectTo(runtime)).flatMap((client) =>
      Array.from({ length: 4 }, async () => {
        while (!isWithdrawn) {
          seen.codes.add(await client.codeOf('ModelInfer', sample));
          seen.answered++;
        }
      }),
    );
    await expect.poll(() => seen.answered, patience).toBeGreaterThan(200);
    const connectedBefore = await connectionsOf(runtime);
    runtime.kill('SIGTERM');
    await runtime.until('draining', async () => (await runtime.askManagement('/readyz')).status === 503);
    const answeredBefore = seen.answered;
    // Until all of them have been asked to go and have come back, which is what a client without a proxy would do.
    await expect.poll(() => connectionsOf(runtime), patience).toBeLessThan(Math.min(connectedBefore, 0.5));
    expect(seen.answered).toBeGreaterThan(answeredBefore + 50);
    // From here on the endpoint is gone from every client: what is in flight still has to be answered.
    isWithdrawn = true;
    await Promise.all(load);
    expect(await runtime.exitCode()).toBe(0);
    expect(seen.codes).toEqual(new Set([0]));
  });

  it('finishes what is in flight even when there is no time to drain', async () => {
    const runtime = await start({ HEADGATE_MODEL_URI: exampleModelUri('slow.onnx') });
    const client = connectTo(runtime);
    const requests = Array.from({ length: 20 }, () => client.codeOf('ModelInfer', sample));
    await runtime.until('in receipt of all', async () => {
      const { text } = await runtime.askManagement('/headgate/report');
      const { inFlight, total } = JSON.parse(text) as { inFlight: number; total: { requests: number } };
      return inFlight + total.requests === requests.length && inFlight > 0;
    });
    runtime.kill('SIGTERM');
    expect(new Set(await Promise.all(requests))).toEqual(new Set([0]));
    expect(await runtime.exitCode()).toBe(0);
  });

  it('ends the process though clients keep their connections open', async () => {
    const runtime = await start();
    const idle = connectTo(runtime);
    expect(await idle.codeOf('ServerLive')).toBe(0);
    runtime.kill('SIGTERM');
    const ended = await Promise.race([runtime.exitCode(), pause(10_000, 'not within 10 s')]);
    expect(ended).toBe(0);
  });
});
