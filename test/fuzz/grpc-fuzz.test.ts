import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GrpcClient } from '../support/grpc-client.ts';
import { RuntimeProcess } from '../support/runtime-process.ts';
import { residentBytes } from './good-traffic.ts';
import { fuzzGrpc } from './grpc-fuzz.ts';

let runtime: RuntimeProcess;
beforeAll(async () => {
  runtime = await RuntimeProcess.start();
}, 60_000);
afterAll(() => runtime.stop());

/** `make fuzz` does the same with many more calls. */
describe('a server that is sent what is almost right over gRPC', { timeout: 120_000 }, () => {
  it('never calls it its own fault, never falls silent, and keeps its memory', async () => {
    const attack = { port: runtime.grpcPort, connections: 8 };
    await fuzzGrpc({ ...attack, seed: 1, requests: 2000 });
    const residentBefore = residentBytes(runtime.processId);
    const report = await fuzzGrpc({ ...attack, seed: 20_261_126, requests: 8000 });
    expect(report.faults).toEqual([]);
    expect(runtime.log.filter(({ level }) => level === 'error')).toEqual([]);
    // Else the calls were not almost right, or the server takes everything.
    for (const reply of ['0', '3', '5', '8', '9', '12', 'http 415', 'left', 'raw']) {
      expect(report.replies, reply).toHaveProperty(reply);
    }
    expect(residentBytes(runtime.processId)).toBeLessThan(1.5 * residentBefore);
    const client = new GrpcClient(runtime.grpcPort);
    expect(await client.codeOf('ServerReady')).toBe(0);
    client.close();
    const { text } = await runtime.askManagement('/headgate/report');
    expect(JSON.parse(text)).toMatchObject({ inFlight: 0 });
  });
});
