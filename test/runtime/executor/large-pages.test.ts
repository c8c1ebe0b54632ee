import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { buildConvolutionModel } from '../../support/convolution-model.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

const KIBIBYTES_OF_A_LARGE_PAGE = 2048;
/** Side of its image, which is a constant of eight megabytes. */
const IMAGE_SIZE = 256;
const setting = readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'utf8');
const folder = mkdtempSync(path.join(tmpdir(), 'headgate-large-pages-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Of the process that runs the model. */
async function kibibytesInLargePages(environment: Readonly<Record<string, string>>): Promise<number> {
  const modelPath = path.join(folder, 'model.onnx');
  writeFileSync(modelPath, buildConvolutionModel(IMAGE_SIZE));
  const runtime = await RuntimeProcess.start({
    HEADGATE_MODEL_URI: pathToFileURL(modelPath).href,
    ...environment,
  });
  try {
    const memory = readFileSync(`/proc/${runtime.executorProcessId}/smaps_rollup`, 'utf8');
    return Number(/^AnonHugePages:\s+(\d+) kB$/mu.exec(memory)?.[1]);
  } finally {
    await runtime.stop();
  }
}

// Where the kernel gives large pages to everybody or to nobody, there is nothing to ask for.
describe.runIf(setting.includes('[madvise]'))('the memory of a model', { timeout: 60_000 }, () => {
  it('lies in large pages with what the image sets, and in none without', async () => {
    expect(await kibibytesInLargePages({})).toBeGreaterThanOrEqual(4 * KIBIBYTES_OF_A_LARGE_PAGE);
    expect(await kibibytesInLargePages({ GLIBC_TUNABLES: '' })).toBe(0);
  });
});
