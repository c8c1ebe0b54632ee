import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { RuntimeProcess } from '../support/runtime-process.ts';
import { fuzzOnnx } from './onnx-fuzz.ts';

/** What becomes of a server that is given this file. */
async function lastWordsOf(bytes: Buffer): Promise<{ readonly reason: string } | undefined> {
  const folder = mkdtempSync(path.join(tmpdir(), 'headgate-deadly-'));
  const file = path.join(folder, 'model.onnx');
  writeFileSync(file, bytes);
  const runtime = new RuntimeProcess({ HEADGATE_MODEL_URI: pathToFileURL(file).href });
  try {
    expect(await runtime.exitCode()).toBe(1);
    return runtime.lastWords;
  } finally {
    await runtime.stop();
    rmSync(folder, { recursive: true });
  }
}

/** `make fuzz` does the same with a hundred thousand files. */
describe('model files that are almost right', () => {
  it(
    'are loaded or refused with words, and end no server without a reason',
    { timeout: 120_000 },
    async () => {
      const report = await fuzzOnnx({ seed: 20_261_126, files: 1500, processes: 2 });
      expect(report.silent).toBe(0);
      // Else the files are not almost right.
      expect(report.loaded).toBeGreaterThan(100);
      expect(report.refused).toBeGreaterThan(100);
      for (const bytes of report.deadly.slice(0, 5)) {
        expect(['ModelInvalid', 'ModelWarmUpFailed']).toContain((await lastWordsOf(bytes))?.reason);
      }
    },
  );
});
