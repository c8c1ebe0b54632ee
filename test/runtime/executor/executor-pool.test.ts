import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { buildEndlessModel, endlessRequest } from '../../support/endless-model.ts';
import { sampleRequest } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'headgate-pool-'));
const endless = path.join(folder, 'endless.onnx');
writeFileSync(endless, buildEndlessModel());
afterAll(() => rmSync(folder, { recursive: true }));

const running: RuntimeProcess[] = [];
afterEach(async () => {
  for (const runtime of running.splice(0)) await runtime.stop();
});

/** Every process that ever ran the model here, in order of their readiness. */
function executorsOf(runtime: RuntimeProcess): number[] {
  return runtime.log.flatMap(({ executorProcessId }) =>
    typeof executorProcessId === 'number' ? [executorProcessId] : [],
  );
}

async function startTwo(environment: Readonly<Record<string, string>> = {}): Promise<RuntimeProcess> {
  const runtime = await RuntimeProcess.start({ HEADGATE_EXECUTORS: '2', ...environment });
  running.push(runtime);
  await runtime.until('running twice', () => executorsOf(runtime).length === 2);
  return runtime;
}

/** Asks without a pause until told to stop; tells the statuses of all answers and of all probes. */
function keepAsking(runtime: RuntimeProcess, body: string | Buffer) {
  const seen = { answers: new Set<number>(), probes: new Set<number>(), count: 0 };
  let isOver = false;
  const client = async (): Promise<void> => {
    while (!isOver) {
      seen.answers.add((await runtime.infer(body)).status);
      seen.count++;
    }
  };
  const prober = async (): Promise<void> => {
    while (!isOver) seen.probes.add((await runtime.askManagement('/readyz')).status);
  };
  const loops = [client(), client(), client(), client(), prober()];
  const stop = async (): Promise<void> => {
    isOver = true;
    await Promise.all(loops);
  };
  return { seen, stop };
}

async function countReady(runtime: RuntimeProcess): Promise<number> {
  const { text } = await runtime.askManagement('/metrics');
  return Number(/^headgate_executors_ready\{.*provider="cpu".*\} (\d+)$/mu.exec(text)?.[1]);
}

describe('two executors', { timeout: 120_000 }, () => {
  it('are counted by where they run the model, and one that is lost is not', async () => {
    const runtime = await startTwo();
    expect(await countReady(runtime)).toBe(2);
    process.kill(executorsOf(runtime)[0] ?? 0, 'SIGKILL');
    await runtime.until('one less', async () => (await countReady(runtime)) === 1);
    await runtime.until('two again', async () => (await countReady(runtime)) === 2);
  });

  it('lose one under load without a failed request, and are ready all the while', async () => {
    const runtime = await startTwo();
    const { seen, stop } = keepAsking(runtime, sampleRequest);
    const [first = 0] = executorsOf(runtime);
    process.kill(first, 'SIGKILL');
    await runtime.until('running twice again', () => executorsOf(runtime).length === 3);
    await stop();
    expect([...seen.answers]).toEqual([200]);
    expect([...seen.probes]).toEqual([200]);
  });

  it(
    'end twice under an input that never ends, then never run it again; nobody else notices',
    { timeout: 60_000 },
    async () => {
      const runtime = await startTwo({
        HEADGATE_MODEL_URI: pathToFileURL(endless).href,
        // Longer than a busy machine takes to start an executor anew: one of the two is always there.
        HEADGATE_RUN_TIMEOUT_SECONDS: '3',
      });
      const { seen, stop } = keepAsking(runtime, endlessRequest(2));
      const poison = await runtime.infer(endlessRequest(6000));
      expect([poison.status, JSON.parse(poison.text)]).toEqual([
        422,
        { error: expect.stringContaining('ended twice under this input') as string },
      ]);
      const lost = executorsOf(runtime).length;
      expect((await runtime.infer(endlessRequest(6000))).status).toBe(422);
      await stop();
      expect([...seen.answers]).toEqual([200]);
      expect([...seen.probes]).toEqual([200]);
      expect(executorsOf(runtime).length).toBeLessThanOrEqual(lost + 1);
    },
  );
});
