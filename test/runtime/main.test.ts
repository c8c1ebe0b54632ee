import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../runtime/management/management-server.ts';
import { exampleModelPath, exampleModelUri, sampleRequest } from '../support/example-models.ts';
import { RuntimeProcess } from '../support/runtime-process.ts';
import { FileServer } from './model-source/file-server.ts';

/** Takes the request for a model and never answers it. */
const store = new FileServer({ '/silent.onnx': () => undefined });
beforeAll(() => store.listen());
afterAll(() => store.close());

const patience = { timeout: 30_000 };
const running: RuntimeProcess[] = [];
afterEach(async () => {
  store.requests.length = 0;
  for (const runtime of running.splice(0)) await runtime.stop();
});

function spawn(environment: Readonly<Record<string, string>>): RuntimeProcess {
  const runtime = new RuntimeProcess(environment);
  running.push(runtime);
  return runtime;
}

async function start(environment: Readonly<Record<string, string>> = {}): Promise<RuntimeProcess> {
  const runtime = spawn(environment);
  await runtime.untilReady();
  return runtime;
}

async function readReport(runtime: RuntimeProcess): Promise<Report> {
  return JSON.parse((await runtime.askManagement('/headgate/report')).text) as Report;
}

const OBSERVED_SECONDS = 3;

/** How often the main thread of a process has waited for something so far. */
function wakeUps(processId: number): number {
  const status = readFileSync(`/proc/${processId}/status`, 'utf8');
  return Number(/^voluntary_ctxt_switches:\s+(\d+)$/mu.exec(status)?.[1]);
}

describe('the server as a program', { timeout: 60_000 }, () => {
  it.each<[string, Record<string, string>, string, string]>([
    [
      'a broken model',
      { HEADGATE_MODEL_URI: exampleModelUri('broken.onnx') },
      'ModelInvalid',
      'complete ONNX model',
    ],
    ['no model', { HEADGATE_MODEL_URI: exampleModelUri('none.onnx') }, 'ModelNotFound', 'none.onnx'],
    ['another model', { HEADGATE_MODEL_SHA256: '0'.repeat(64) }, 'ModelDigestMismatch', 'expected 0000'],
    ['an unknown address', { HEADGATE_MODEL_URI: 'ftp://host/x' }, 'ModelUriUnsupported', 'ftp://host/x'],
    [
      'an address that is not allowed',
      { HEADGATE_MODEL_URI: 'http://169.254.169.254/latest/meta-data' },
      'ModelSourceForbidden',
      'modelSources.allow',
    ],
    [
      'a wrong setting',
      { HEADGATE_QUEUE_MAX_DEPTH: '-1' },
      'ConfigurationInvalid',
      'HEADGATE_QUEUE_MAX_DEPTH',
    ],
  ])(
    'ends with %s, and its last words say why in terms of what to do',
    async (_what, environment, reason, words) => {
      const runtime = spawn(environment);
      expect(await runtime.exitCode()).toBe(1);
      expect(runtime.lastWords?.reason).toBe(reason);
      expect(runtime.lastWords?.message).toContain(words);
      expect(runtime.log.at(-1)).toMatchObject({ level: 'error', reason });
    },
  );

  it('is alive and not ready while it looks for its model', async () => {
    const runtime = spawn({ HEADGATE_MODEL_URI: store.url('/silent.onnx') });
    await expect.poll(() => store.requests, patience).toEqual(['/silent.onnx']);
    expect((await runtime.askManagement('/livez')).status).toBe(200);
    const ready = await runtime.askManagement('/readyz');
    expect([ready.status, JSON.parse(ready.text)]).toEqual([
      503,
      { ready: false, reason: 'the model is not loaded' },
    ]);
    const answer = await runtime.infer(sampleRequest);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    expect((await runtime.ask('/v2/models/tumour')).status).toBe(503);
  });

  it('is asked to end under load over kept connections, and answers every request until the last', async () => {
    const runtime = await start({ HEADGATE_DRAIN_SECONDS: '2' });
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    const seen = { answered: 0, failed: 0, closing: 0 };
    let isWithdrawn = false;
    const client = async (): Promise<void> => {
      while (!isWithdrawn) {
        const { status, headers } = await runtime.infer(sampleRequest, { agent });
        if (status !== 200) seen.failed++;
        else seen.answered++;
        if (headers.connection === 'close') seen.closing++;
      }
    };
    const load = Array.from({ length: 16 }, client);
    await expect.poll(() => seen.answered, patience).toBeGreaterThan(100);
    runtime.kill('SIGTERM');
    await runtime.until('draining', async () => (await runtime.askManagement('/readyz')).status === 503);
    const answeredBefore = seen.answered;
    await expect.poll(() => seen.answered, patience).toBeGreaterThan(answeredBefore + 50);
    // From here on the endpoint is gone from every proxy: what is in flight still has to be answered.
    isWithdrawn = true;
    await Promise.all(load);
    agent.destroy();
    expect(await runtime.exitCode()).toBe(0);
    expect(seen.failed).toBe(0);
    expect(seen.closing).toBeGreaterThan(0);
  });

  it('finishes what is in flight even when there is no time to drain', async () => {
    const settings = { HEADGATE_EXECUTORS: '1', HEADGATE_BATCH_MAX_SIZE: '1' };
    const runtime = await start({ HEADGATE_MODEL_URI: exampleModelUri('slow.onnx'), ...settings });
    // Each takes about two milliseconds of the one executor, one after the other.
    const requests = Array.from({ length: 200 }, () => runtime.infer(sampleRequest));
    let left = 0;
    await runtime.until('in receipt of all', async () => {
      const { inFlight, total } = await readReport(runtime);
      left = inFlight;
      return inFlight + total.requests === requests.length;
    });
    runtime.kill('SIGTERM');
    expect(left).toBeGreaterThan(0);
    const statuses = (await Promise.all(requests)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(await runtime.exitCode()).toBe(0);
  });

  it('rests while nobody asks', async () => {
    const runtime = await start();
    const before = wakeUps(runtime.processId);
    await pause(OBSERVED_SECONDS * 1000);
    const perSecond = (wakeUps(runtime.processId) - before) / OBSERVED_SECONDS;
    expect(perSecond).toBeLessThan(20);
  });

  it('ends at once, and as asked, while its model is still on its way', async () => {
    const runtime = spawn({
      HEADGATE_MODEL_URI: store.url('/silent.onnx'),
      HEADGATE_DRAIN_SECONDS: '60',
    });
    await expect.poll(() => store.requests, patience).toEqual(['/silent.onnx']);
    runtime.kill('SIGTERM');
    expect(await runtime.exitCode()).toBe(0);
    expect(runtime.lastWords).toBeUndefined();
  });

  it('never brings up another model under the same revision: it ends when the file changed under it', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'headgate-model-'));
    const file = path.join(folder, 'model.onnx');
    copyFileSync(exampleModelPath('v1.onnx'), file);
    const runtime = await start({ HEADGATE_MODEL_URI: pathToFileURL(file).href });
    copyFileSync(exampleModelPath('v2.onnx'), file);
    process.kill(runtime.executorProcessId, 'SIGKILL');
    expect(await runtime.exitCode()).toBe(1);
    expect(runtime.lastWords?.reason).toBe('ModelDigestMismatch');
    rmSync(folder, { recursive: true });
  });
});
