import { Agent } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { Report } from '../../../runtime/management/management-server.ts';
import { exampleModelUri, sampleRequest } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

const patience = { timeout: 30_000 };
const running: RuntimeProcess[] = [];
afterEach(async () => {
  for (const runtime of running.splice(0)) await runtime.stop();
});

async function start(environment: Readonly<Record<string, string>> = {}): Promise<RuntimeProcess> {
  const runtime = await RuntimeProcess.start(environment);
  running.push(runtime);
  return runtime;
}

async function statusesOf(requests: readonly Promise<{ readonly status: number }>[]): Promise<number[]> {
  return (await Promise.all(requests)).map(({ status }) => status);
}

function send(runtime: RuntimeProcess, count: number): Promise<{ readonly status: number }>[] {
  return Array.from({ length: count }, () => runtime.infer(sampleRequest));
}

async function reportOf(runtime: RuntimeProcess): Promise<Report> {
  return JSON.parse((await runtime.askManagement('/headgate/report')).text) as Report;
}

async function restartsOf(runtime: RuntimeProcess): Promise<number> {
  const { text } = await runtime.askManagement('/metrics');
  return Number(/^headgate_executor_restarts_total\{.*\} (\d+)$/mu.exec(text)?.[1]);
}

describe('the process that runs the model', { timeout: 60_000 }, () => {
  it('is killed under load without a single failed request, and without a moment of no life', async () => {
    const runtime = await start();
    const statuses: number[] = [];
    let isOver = false;
    const client = async (): Promise<void> => {
      while (!isOver) statuses.push((await runtime.infer(sampleRequest)).status);
    };
    const load = Array.from({ length: 8 }, client);
    const first = runtime.executorProcessId;
    process.kill(first, 'SIGKILL');
    await runtime.until('running anew', () => runtime.executorProcessId !== first);
    expect((await runtime.askManagement('/livez')).status).toBe(200);
    const answeredBefore = statuses.length;
    await expect.poll(() => statuses.length, patience).toBeGreaterThan(answeredBefore + 50);
    isOver = true;
    await Promise.all(load);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(await restartsOf(runtime)).toBe(1);
  }, 60_000);

  it('leaves health, metrics and report quick while it burns its core', async () => {
    const runtime = await start({ HEADGATE_MODEL_URI: exampleModelUri('slow.onnx') });
    const load = send(runtime, 40);
    const answersMs: number[] = [];
    for (let probe = 0; probe < 20; probe++) {
      const askedAtMs = performance.now();
      const answers = await Promise.all([
        runtime.askManagement('/livez'),
        runtime.askManagement('/readyz'),
        runtime.ask('/v2/health/live'),
      ]);
      answersMs.push(performance.now() - askedAtMs);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    }
    expect(new Set(await statusesOf(load))).toEqual(new Set([200]));
    const median = answersMs.toSorted((left, right) => left - right)[10];
    expect(median).toBeLessThan(100);
  }, 60_000);

  it('is killed when it hangs, and its requests are answered by the next one', async () => {
    const runtime = await start({ HEADGATE_RUN_TIMEOUT_SECONDS: '1' });
    process.kill(runtime.executorProcessId, 'SIGSTOP');
    expect(await statusesOf(send(runtime, 3))).toEqual([200, 200, 200]);
    expect(runtime.log.map(({ message }) => message)).toContain(
      'the process that runs the model was killed because a request ran past the time limit; restarting it',
    );
  }, 60_000);

  it('is behind a queue that sheds what it cannot hold with 429, and answers the rest', async () => {
    const runtime = await start({ HEADGATE_QUEUE_MAX_DEPTH: '4', HEADGATE_BATCH_MAX_SIZE: '1' });
    process.kill(runtime.executorProcessId, 'SIGSTOP');
    const requests = send(runtime, 60);
    await runtime.until('full', async () => {
      const { text } = await runtime.askManagement('/metrics');
      return /^headgate_queue_depth\{.*\} 4$/mu.test(text) && /code="429"\} [1-9]/u.test(text);
    });
    const shed = await runtime.infer(sampleRequest);
    expect([shed.status, Number(shed.headers['retry-after'])]).toEqual([429, 1]);
    process.kill(runtime.executorProcessId, 'SIGCONT');
    const statuses = await statusesOf(requests);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(6);
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
  }, 60_000);

  it('does not get the request of a client that hung up while it waited, and nobody is charged for it', async () => {
    const runtime = await start({ HEADGATE_MODEL_URI: exampleModelUri('slow.onnx') });
    process.kill(runtime.executorProcessId, 'SIGSTOP');
    const agent = new Agent({ keepAlive: true });
    const kept = send(runtime, 2);
    await runtime.until('holding two', async () => (await reportOf(runtime)).inFlight === 2);
    const left = Promise.allSettled([1, 2, 3].map(() => runtime.infer(sampleRequest, { agent })));
    await runtime.until('holding five', async () => (await reportOf(runtime)).inFlight === 5);
    agent.destroy();
    expect((await left).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await runtime.until('rid of three', async () => (await reportOf(runtime)).inFlight === 2);
    process.kill(runtime.executorProcessId, 'SIGCONT');
    expect(await statusesOf(kept)).toEqual([200, 200]);
    expect((await reportOf(runtime)).total).toEqual({ requests: 2, errors: 0 });
  });

  it('comes back ever more slowly when it is lost again and again; meanwhile the server is alive and says 503', async () => {
    const runtime = await start();
    await runtime.until('given a rest', async () => {
      const { status } = await runtime.askManagement('/readyz');
      if (status === 200) {
        const lost = runtime.executorProcessId;
        process.kill(lost, 'SIGKILL');
        await runtime.until('not ready', async () => (await runtime.askManagement('/readyz')).status === 503);
      }
      return (await restartsOf(runtime)) >= 4;
    });
    expect((await runtime.askManagement('/livez')).status).toBe(200);
    const delays = runtime.log.flatMap(({ delayMs }) => (typeof delayMs === 'number' ? [delayMs] : []));
    expect(delays.slice(0, 4)).toEqual([0, 250, 500, 1000]);
  }, 60_000);
});
