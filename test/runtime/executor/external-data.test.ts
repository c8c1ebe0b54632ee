import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { OnnxModel } from '../../../runtime/executor/onnx-model.ts';
import { buildExternalModel } from '../../support/onnx-model.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'headgate-external-'));
const modelFolder = path.join(folder, 'model');
const secret = path.join(folder, 'secret.bin');
mkdirSync(path.join(modelFolder, 'deeper'), { recursive: true });
for (const file of [
  secret,
  path.join(modelFolder, 'weights.bin'),
  path.join(modelFolder, 'deeper/weights.bin'),
]) {
  writeFileSync(file, Float32Array.of(1, 2, 3, 4));
}
symlinkSync(secret, path.join(modelFolder, 'link.bin'));
afterAll(() => rmSync(folder, { recursive: true }));

function load(location: string): Promise<OnnxModel> {
  const modelPath = path.join(modelFolder, 'model.onnx');
  writeFileSync(modelPath, buildExternalModel({ name: 'w', elements: 4, location }));
  return OnnxModel.load({ modelPath, threads: 1 });
}

describe('weights that lie in other files', { timeout: 60_000 }, () => {
  it.each(['weights.bin', 'deeper/weights.bin'])(
    "are read from the model's own folder: %s",
    async (location) => {
      const model = await load(location);
      const x = { name: 'x', datatype: 'FP32' as const, shape: [1], data: Float32Array.of(0) };
      const [weights] = await model.run({ inputs: [x], outputNames: ['w_out'] });
      expect(weights?.data).toEqual(Float32Array.of(1, 2, 3, 4));
    },
  );

  it.each([
    '../secret.bin',
    'deeper/../../secret.bin',
    secret,
    'link.bin',
    '/proc/self/environ',
    'missing.bin',
  ])('are read from nowhere else: %s', async (location) => {
    await expect(load(location)).rejects.toThrow(/external data|External data|secret|missing|link|environ/u);
  });
});
