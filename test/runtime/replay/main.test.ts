import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exampleModelUri, readReference } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

const program = fileURLToPath(new URL('../../../runtime/replay/main.ts', import.meta.url));
const directory = mkdtempSync(path.join(tmpdir(), 'headgate-replay-'));
const servers: RuntimeProcess[] = [];

async function serve(model: string, environment: Record<string, string> = {}): Promise<RuntimeProcess> {
  const server = await RuntimeProcess.start({ HEADGATE_MODEL_URI: exampleModelUri(model), ...environment });
  servers.push(server);
  return server;
}

function replay(...options: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...options], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

beforeAll(async () => {
  const recorder = await serve('v1.onnx', {
    HEADGATE_RECORDS_SINK: 'File',
    HEADGATE_RECORDS_CONTENT: 'Full',
    HEADGATE_RECORDS_DIRECTORY: directory,
  });
  const { shape, data } = readReference().request.inputs[0];
  const [rows = 0, width = 0] = shape;
  for (let row = 0; row < rows; row++) {
    const values = data.slice(row * width, (row + 1) * width);
    const inputs = [{ name: 'X', shape: [1, width], datatype: 'FP32', data: values }];
    expect((await recorder.infer(JSON.stringify({ inputs }))).status).toBe(200);
  }
  await recorder.infer('{');
  recorder.kill('SIGTERM');
  expect(await recorder.exitCode()).toBe(0);
}, 60_000);

afterAll(async () => {
  for (const server of servers) await server.stop();
  rmSync(directory, { recursive: true });
});

describe('replay', { timeout: 60_000 }, () => {
  it('finds that the same model gives the same answers', async () => {
    const same = await serve('v1.onnx');
    const { code, output } = await replay('--records', directory, '--to', `http://127.0.0.1:${same.port}`);
    expect(output).toMatch(/^replayed 8 \(8 × 200\); left out: 1 NoAnswer$/mu);
    expect(output).toMatch(/^agreement 100\.00 %$/mu);
    expect(output).toMatch(/^label +100\.00 % +0\.00$/mu);
    expect(output).toMatch(/^p95 +[\d.]+ +[\d.]+$/mu);
    expect(code).toBe(0);
  });

  it('finds that another model does not, and how far away it is', async () => {
    const other = await serve('v2.onnx');
    const to = ['--to', `http://127.0.0.1:${other.port}/`];
    const strict = await replay('--records', directory, ...to);
    expect(strict.output).toMatch(/^probabilities +[\d.]+ % +0\.\d+$/mu);
    expect(strict.code).toBe(1);
    const lenient = await replay('--records', directory, ...to, '--agreement', '0');
    expect(lenient.code).toBe(0);
  });

  it.each([
    ['nowhere to ask', ['--records', directory], '--to is missing'],
    ['an unknown option', ['--speed', '7'], "Unknown option '--speed'"],
    ['no server', ['--records', directory, '--to', 'http://127.0.0.1:1'], 'fetch failed'],
    ['no records', ['--records', '/nowhere', '--to', 'http://127.0.0.1:1'], 'ENOENT'],
    [
      'nothing to compare',
      ['--records', program, '--to', 'http://127.0.0.1:1'],
      'no record with an answer and full inputs',
    ],
    [
      'a tolerance that is none',
      ['--records', directory, '--to', 'http://x', '--tolerance', 'much'],
      'expected a number',
    ],
  ])('says what is wrong with %s', async (_name, options, message) => {
    const { code, output } = await replay(...options);
    expect(output).toContain(message);
    expect(code).toBe(2);
  });
});
