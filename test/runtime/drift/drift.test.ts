import { mkdtempSync, rmSync, writeFileSync, copyFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Drift } from '../../../runtime/drift/drift.ts';
import { exampleModelPath, readSampleRow } from '../../support/example-models.ts';
import { answered, floats, journeyOf } from '../../support/journey.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

describe('watching for drift', () => {
  it('looks at no more than a thousand requests a second, and at no tester', () => {
    const drift = new Drift({ learnValues: 100, windowMs: 60_000 }, {});
    const outcome = answered(undefined, [floats('X', [1])]);
    for (let count = 0; count < 5000; count++) drift.onEnd(journeyOf(), outcome, count / 10);
    const seen = drift.report(500).input[0]?.values;
    expect(seen).toBe(500);
    drift.onEnd(journeyOf({ origin: 'Preview' }), outcome, 10_000);
    expect(drift.report(10_000).input[0]?.values).toBe(seen);
    drift.onEnd(journeyOf({ origin: 'Mirror' }), outcome, 10_000);
    expect(drift.report(10_000).input[0]?.values).toBe(501);
  });
});

describe('a server that watches for drift', { timeout: 60_000 }, () => {
  let runtime: RuntimeProcess | undefined;
  const folder = mkdtempSync(path.join(tmpdir(), 'headgate-drift-'));
  afterEach(async () => {
    await runtime?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function ask(row: readonly number[]): Promise<void> {
    const inputs = [{ name: 'X', shape: [1, row.length], datatype: 'FP32', data: row }];
    expect((await runtime?.infer(JSON.stringify({ inputs })))?.status).toBe(200);
    // No more than one request a millisecond is looked at.
    await pause(2);
  }

  async function metric(name: string, labels: string): Promise<number> {
    const { text = '' } = (await runtime?.askManagement('/metrics')) ?? {};
    const line = text
      .split('\n')
      .find((candidate) => candidate.startsWith(`${name}{`) && candidate.includes(labels));
    return Number(line?.split(' ').at(-1));
  }

  it('compares with what lies beside the model, and tells of every feature', async () => {
    const row = readSampleRow();
    copyFileSync(exampleModelPath('v1.onnx'), path.join(folder, 'model.onnx'));
    const [first = 0] = row;
    const likeIt = {
      kind: 'Numeric',
      edges: [first - 1, first + 1],
      counts: [0, 100, 0],
      min: first - 1,
      max: first + 1,
    };
    writeFileSync(path.join(folder, 'baseline.json'), JSON.stringify({ inputs: { X: [likeIt, likeIt] } }));
    runtime = await RuntimeProcess.start({
      HEADGATE_MODEL_URI: `file://${folder}/model.onnx`,
      HEADGATE_DRIFT_BASELINE: 'Shipped',
    });
    const changed = row.map((value, index) => (index === 1 ? first + 100 : value));
    for (let count = 0; count < 60; count++) await ask(changed);
    expect(await metric('headgate_input_drift_ks', 'feature="0"')).toBe(0);
    expect(await metric('headgate_input_drift_ks', 'feature="1"')).toBe(1);
    expect(await metric('headgate_input_drift_psi', 'feature="1"')).toBeGreaterThan(1);
    expect(await metric('headgate_input_out_of_range_total', 'feature="1"')).toBe(60);
    expect(await metric('headgate_predictions_total', 'class=')).toBe(60);
    expect(await metric('headgate_prediction_confidence_count', 'model=')).toBe(60);
    const { text } = await runtime.askManagement('/headgate/drift/baseline');
    expect(JSON.parse(text)).toMatchObject({ inputs: { X: { 0: likeIt, 1: likeIt, 2: null } } });
    const drift = JSON.parse((await runtime.askManagement('/headgate/drift')).text) as { input: unknown[] };
    expect(drift.input[1]).toMatchObject({ tensor: 'X', feature: '1', window: [0, 0, 60] });
  });

  it.each([
    ['that is not there', undefined, 'cannot be read from'],
    ['that is no use', '[]', 'an object with inputs and outputs'],
  ])('does not start with a baseline %s', async (_name, text, message) => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'headgate-baseline-')), 'baseline.json');
    if (text !== undefined) writeFileSync(file, text);
    runtime = new RuntimeProcess({ HEADGATE_DRIFT_BASELINE: 'File', HEADGATE_DRIFT_BASELINE_FILE: file });
    expect(await runtime.exitCode()).toBe(1);
    expect(runtime.lastWords).toMatchObject({
      reason: 'ConfigurationInvalid',
      message: expect.stringContaining(message) as string,
    });
    rmSync(path.dirname(file), { recursive: true });
  });

  it('has no such page when nobody asked for it', async () => {
    runtime = await RuntimeProcess.start();
    expect((await runtime.askManagement('/headgate/drift')).status).toBe(404);
  });
});
