import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildOnnxModel, onnxTypes, type Channel } from '../support/onnx-model.ts';
import { RuntimeProcess } from '../support/runtime-process.ts';
import { seenBy } from './support.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'headgate-clients-'));
/** ONNX Runtime's binding for Node has no bfloat16. */
const types = (Object.keys(onnxTypes) as Channel['type'][]).filter((type) => type !== 'BF16');

let runtime: RuntimeProcess;
beforeAll(async () => {
  const model = path.join(folder, 'model.onnx');
  writeFileSync(model, buildOnnxModel(types.map((type) => ({ name: type, type, shape: ['n', 3] }))));
  runtime = await RuntimeProcess.start({
    HEADGATE_MODEL_URI: pathToFileURL(model).href,
    HEADGATE_MODEL_NAME: 'all',
  });
});
afterAll(async () => {
  await runtime.stop();
  rmSync(folder, { recursive: true });
});

it("gives Triton's client for Python every datatype back as it came, over gRPC and over HTTP", async () => {
  const seen = (await seenBy('triton_types.py', runtime, 'all')) as {
    types: string[];
    grpc: string[];
    http: string[];
  };
  expect(seen.types.toSorted()).toEqual(types.toSorted());
  expect([seen.grpc, seen.http]).toEqual([[], []]);
});
