import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { readTextFile } from '../../../runtime/executor/cpu-limit.ts';
import { buildNeverEndingModel, buildSlowToLoadModel } from '../../support/late-models.ts';
import { sampleRequest } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'headgate-late-'));
afterAll(() => rmSync(folder, { recursive: true }));

const running: RuntimeProcess[] = [];
afterEach(async () => {
  for (const runtime of running.splice(0)) await runtime.stop();
});

/** The processes that run, or are about to load, the model: not one that is still a copy of the server. */
function executorsOf({ processId }: RuntimeProcess): number[] {
  const children = readTextFile(`/proc/${processId}/task/${processId}/children`) ?? '';
  return children
    .split(' ')
    .filter((child) => readTextFile(`/proc/${child}/cmdline`)?.includes('executor/child') === true)
    .map(Number);
}

describe('a model that is not ready in time', { timeout: 60_000 }, () => {
  it.each([
    [
      'is still being loaded',
      buildSlowToLoadModel,
      'was still being loaded 4 s after its process was started',
    ],
    ['never ends its first run', buildNeverEndingModel, 'was still being tried on zeros 4 s after'],
  ])('ends the start of its server with the way out: it %s', async (_, build, words) => {
    const modelPath = path.join(folder, 'model.onnx');
    writeFileSync(modelPath, build());
    const runtime = new RuntimeProcess({
      HEADGATE_MODEL_URI: pathToFileURL(modelPath).href,
      HEADGATE_LOAD_TIMEOUT_MS: '4000',
    });
    running.push(runtime);
    expect(await runtime.exitCode()).toBe(1);
    expect(runtime.lastWords).toEqual({ reason: 'ModelLoadTimedOut', message: expect.any(String) as string });
    expect(runtime.lastWords?.message).toContain(words);
    expect(runtime.lastWords?.message).toContain('raise spec.runtime.executors.loadTimeout');
  });

  it('is in no danger once it was ready', async () => {
    const runtime = await RuntimeProcess.start({ HEADGATE_LOAD_TIMEOUT_MS: '5000' });
    running.push(runtime);
    const first = runtime.executorProcessId;
    await runtime.until('older than the limit', async () => {
      const { text } = await runtime.askManagement('/headgate/report');
      return (JSON.parse(text) as { startedSecondsAgo: number }).startedSecondsAgo > 8;
    });
    expect((await runtime.infer(sampleRequest)).status).toBe(200);
    expect(runtime.executorProcessId).toBe(first);
  });

  it('is started anew where it was ready before, and answers what waited', async () => {
    const runtime = await RuntimeProcess.start({ HEADGATE_LOAD_TIMEOUT_MS: '8000' });
    running.push(runtime);
    const first = runtime.executorProcessId;
    process.kill(first, 'SIGKILL');
    const others = (): number[] => executorsOf(runtime).filter((child) => child !== first);
    await runtime.until('starting anew', () => others().length === 1);
    const [second = 0] = others();
    process.kill(second, 'SIGSTOP');
    expect((await runtime.infer(sampleRequest)).status).toBe(200);
    expect([first, second]).not.toContain(runtime.executorProcessId);
    expect(runtime.log.map(({ message }) => message)).toContainEqual(
      expect.stringMatching(/was still being loaded 8 s after its process was started.*; restarting it$/u),
    );
  });
});
