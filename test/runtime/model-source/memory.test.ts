import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../bed/shell.ts';
import { runtimeNodeOptions } from '../../support/runtime-image.ts';
import { FileServer } from './file-server.ts';

const MEBIBYTE = 2 ** 20;
const script = fileURLToPath(new URL('../../support/model-that-comes.ts', import.meta.url));
const folder = mkdtempSync(path.join(tmpdir(), 'headgate-model-memory-'));
const small = Buffer.alloc(MEBIBYTE, 1);
const large = Buffer.alloc(100 * MEBIBYTE, 1);
const server = new FileServer({
  '/small.onnx': (response) => response.end(small),
  '/large.onnx': (response) => response.end(large),
});

beforeAll(() => server.listen());
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

/** Of the process that fetches it, which has Node's options of the image. */
async function peakBytesOf(uri: string): Promise<number> {
  return Number(await run(process.execPath, [...runtimeNodeOptions(), script, uri]));
}

// What a server has taken for a moment it seldom gives back: the allocator keeps it.
describe('the memory that a server takes while a model comes', { timeout: 30_000 }, () => {
  it('is the same for a file of any size', async () => {
    const fileOf = (name: string, content: Buffer): string => {
      const file = path.join(folder, name);
      writeFileSync(file, content);
      return pathToFileURL(file).href;
    };
    const peakBytes = await peakBytesOf(fileOf('large.onnx', large));
    expect(peakBytes - (await peakBytesOf(fileOf('small.onnx', small)))).toBeLessThan(10 * MEBIBYTE);
  });

  it('is bounded for a download of any size', async () => {
    const peakBytes = await peakBytesOf(server.url('/large.onnx'));
    expect(peakBytes - (await peakBytesOf(server.url('/small.onnx')))).toBeLessThan(32 * MEBIBYTE);
  });
});
