import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelStatistics } from '../../../runtime/inference/statistics.ts';
import type { ClassPrediction } from '../../../runtime/output/readable.ts';
import { readReference, sampleRequest } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

let runtime: RuntimeProcess;
beforeAll(async () => {
  runtime = await RuntimeProcess.start({
    HEADGATE_OUTPUT: JSON.stringify({ labels: ['malignant', 'benign'], lowConfidencePercent: 95 }),
    HEADGATE_INPUTS: JSON.stringify([
      { name: 'X', nulls: 'Refuse', columns: [{ name: 'radius', index: 0, minimum: 0, maximum: 50 }] },
    ]),
  });
}, 60_000);
afterAll(() => runtime.stop());

const { request, answers } = readReference();
const [X] = request.inputs;

async function read<Body>(address: string, method = 'GET'): Promise<Body> {
  const answer = await runtime.ask(address, { method });
  expect(answer.status).toBe(200);
  return JSON.parse(answer.text) as Body;
}

async function readStatistics(): Promise<ModelStatistics> {
  const { model_stats: statistics } = await read<{ model_stats: ModelStatistics[] }>(
    '/v2/models/tumour/stats',
  );
  const [first] = statistics;
  if (first === undefined) throw new Error('there are no statistics');
  return first;
}

describe('extensions of the protocol over REST', { timeout: 60_000 }, () => {
  it.each(['/v2/models/tumour/config', '/v2/models/tumour/versions/1/config'])(
    'tell the configuration of the model at %s',
    async (address) => {
      expect(await read(address)).toEqual({
        name: 'tumour',
        platform: 'onnx_onnxv1',
        backend: 'onnxruntime',
        version_policy: { specific: { versions: [1] } },
        max_batch_size: 0,
        input: [{ name: 'X', data_type: 'TYPE_FP32', dims: [-1, 30] }],
        output: [
          { name: 'label', data_type: 'TYPE_INT64', dims: [-1] },
          { name: 'probabilities', data_type: 'TYPE_FP32', dims: [-1, 2] },
        ],
        instance_group: [{ kind: 'KIND_CPU', count: 1 }],
      });
    },
  );

  it('count requests, rows, refusals and time', async () => {
    const before = await readStatistics();
    await runtime.infer(JSON.stringify(request));
    await runtime.infer(sampleRequest);
    await runtime.infer('{}');
    const after = await readStatistics();
    const count = (name: keyof ModelStatistics['inference_stats']): number =>
      after.inference_stats[name].count - before.inference_stats[name].count;
    expect([count('success'), count('fail'), count('queue'), count('compute_infer')]).toEqual([2, 1, 2, 2]);
    expect(after.inference_count - before.inference_count).toBe(9);
    const { success, queue, compute_infer: compute } = after.inference_stats;
    expect(success.ns).toBeGreaterThanOrEqual(queue.ns + compute.ns);
    expect(Math.abs(after.last_inference - Date.now())).toBeLessThan(10_000);
    expect(await read('/v2/models/stats')).toHaveProperty('model_stats.0.name', 'tumour');
  });

  it('list the one model of the repository', async () => {
    expect(await read('/v2/repository/index', 'POST')).toEqual([
      { name: 'tumour', version: '1', state: 'READY', reason: '' },
    ]);
  });

  it.each(['load', 'unload'])('leave to the ModelDeployment to %s the model', async (verb) => {
    const answer = await runtime.ask(`/v2/repository/models/tumour/${verb}`, { method: 'POST' });
    expect([answer.status, answer.text]).toEqual([403, expect.stringContaining('by its ModelDeployment')]);
    const other = await runtime.ask(`/v2/repository/models/other/${verb}`, { method: 'POST' });
    expect([other.status, other.text]).toEqual([404, expect.stringContaining("model 'other' is not served")]);
    expect((await runtime.infer(sampleRequest)).status).toBe(200);
  });

  it('name the likeliest classes instead of a tensor', async () => {
    const outputs = [{ name: 'probabilities', parameters: { classification: 1 } }];
    const answer = await runtime.infer(JSON.stringify({ ...request, outputs }));
    const {
      outputs: [classes],
    } = JSON.parse(answer.text) as { outputs: { shape: number[]; data: string[] }[] };
    expect(classes?.shape).toEqual([8, 1]);
    const expected = answers['v1']?.label.map((label) => `${label}:${label === 0 ? 'malignant' : 'benign'}`);
    expect(classes?.data.map((text) => text.replace(/^[^:]*:/, ''))).toEqual(expected);
  });

  it('tell people what the model says', async () => {
    const body = JSON.stringify({ ...request, parameters: { readable: true } });
    const answer = JSON.parse((await runtime.infer(body)).text) as { predictions: ClassPrediction[] };
    const labels = answer.predictions.map(({ label }) => label);
    expect(labels).toEqual(answers['v1']?.label.map((label) => (label === 0 ? 'malignant' : 'benign')));
    for (const { confidence, lowConfidence } of answer.predictions)
      expect(lowConfidence).toBe(confidence < 0.95);
    expect(answer).toHaveProperty('outputs.1.name', 'probabilities');
  });

  it.each([
    [
      "row 7 of column 'radius': expected at least 0 and at most 50, got 51",
      (data: number[]) => (data[210] = 51),
    ],
    ['element 3: expected a value, got NaN', (data: (number | null)[]) => (data[3] = null)],
  ])('refuse what the rules of the inputs do not take: %s', async (message, spoil) => {
    const before = (await readStatistics()).inference_stats.compute_infer.count;
    const data = [...X.data];
    spoil(data);
    const body = JSON.stringify({ inputs: [{ ...X, data }] }).replace('null', 'NaN');
    const answer = await runtime.infer(body);
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining(message)]);
    expect((await readStatistics()).inference_stats.compute_infer.count).toBe(before);
  });

  it('end the start of a server whose rules do not fit the model', async () => {
    const wrong = new RuntimeProcess({ HEADGATE_INPUTS: '[{"name":"Y"}]' });
    expect(await wrong.exitCode()).toBe(1);
    expect(wrong.lastWords).toEqual({
      reason: 'ConfigurationInvalid',
      message: "spec.runtime.inputs, 'Y': the model has no such input; it has 'X'",
    });
    await wrong.stop();
  });
});
