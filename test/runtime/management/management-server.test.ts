import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labels } from '../../../operator/api/names.ts';
import { httpGet } from '../../../operator/observe/http-get.ts';
import { gatherReports } from '../../../operator/observe/reports.ts';
import type { RuntimeReport } from '../../../operator/plan/observed.ts';
import { exampleModelPath, exampleModelUri, sampleRequest } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

const revision = 'tumour-7cb4d9f2a1';
let runtime: RuntimeProcess;

beforeAll(async () => {
  runtime = await RuntimeProcess.start({ HEADGATE_MODEL_URI: exampleModelUri('errors-on-real-data.onnx') });
}, 60_000);
afterAll(() => runtime.stop());

/** Reads the report as the operator does in the cluster, by its own code; only the port is the test's. */
async function readReport(): Promise<RuntimeReport | undefined> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'pod',
      namespace: 'ml',
      uid: '1',
      resourceVersion: '1',
      labels: { [labels.revision]: revision },
    },
    status: { phase: 'Running', podIP: '127.0.0.1' },
  };
  const reports = await gatherReports([pod], (question) =>
    httpGet({ ...question, port: runtime.managementPort }),
  );
  return reports.get('pod');
}

/** The samples of one metric, by their labels as text. */
async function readMetric(name: string): Promise<Record<string, number>> {
  const { text } = await runtime.askManagement('/metrics');
  const samples = text.matchAll(new RegExp(`^${name}\\{(.*)\\} (.*)$`, 'gmu'));
  return Object.fromEntries([...samples].map(([, labels = '', value]) => [labels, Number(value)]));
}

function digestOf(model: string): string {
  return createHash('sha256')
    .update(readFileSync(exampleModelPath(model)))
    .digest('hex');
}

const own = `model="tumour",revision="${revision}"`;
const zeros = JSON.stringify({
  inputs: [{ name: 'X', shape: [1, 30], datatype: 'FP32', data: new Array(30).fill(0) }],
});

describe('the management port', { timeout: 60_000 }, () => {
  it('has a p95, a queue depth and a count of restarts before the first request', async () => {
    expect(await readMetric('inference_latency_p95_ms')).toEqual({ [own]: 0 });
    expect(await readMetric('headgate_queue_depth')).toEqual({ [own]: 0 });
    expect(await readMetric('headgate_executor_restarts_total')).toEqual({ [own]: 0 });
    expect(await readReport()).toMatchObject({ latencyP95Ms: 0, lastRequestSecondsAgo: null });
  });

  it("tells users' requests, errors and refusals apart, and counts copies and previews by themselves", async () => {
    const send = (body: string | Buffer, headers: Record<string, string> = {}): Promise<unknown> =>
      runtime.infer(body, { headers });
    await send(zeros, { 'x-headgate-destination': revision });
    await send(zeros, { 'x-headgate-routing': 'r-first' });
    await send(sampleRequest, { 'x-headgate-routing': 'r-second' });
    await send('{', {});
    await send(sampleRequest, { 'x-headgate-destination': 'tumour-other', 'x-headgate-routing': 'r-mirror' });
    await send(zeros, { 'x-headgate-destination': `${revision};preview`, 'x-headgate-routing': 'r-preview' });
    expect(await readReport()).toMatchObject({
      revision,
      modelDigest: digestOf('errors-on-real-data.onnx'),
      total: { requests: 4, errors: 1 },
      window: { seconds: 30, requests: 4, errors: 1 },
      mirrors: { requests: 1, errors: 1 },
      inFlight: 0,
      routings: [{ hash: 'r-preview' }, { hash: 'r-mirror' }, { hash: 'r-second' }, { hash: 'r-first' }],
    });
    expect(await readMetric('headgate_requests_total')).toEqual({
      [`${own},code="200"`]: 2,
      [`${own},code="500"`]: 1,
      [`${own},code="400"`]: 1,
    });
    expect(await readMetric('headgate_mirrored_requests_total')).toEqual({ [`${own},code="500"`]: 1 });
    expect(await readMetric('headgate_preview_requests_total')).toEqual({ [`${own},code="200"`]: 1 });
    const ofVersion = `model="tumour",version="1",revision="${revision}"`;
    expect(await readMetric('headgate_request_duration_seconds_count')).toEqual({ [ofVersion]: 4 });
    const stage = await readMetric('headgate_stage_duration_seconds_count');
    expect(stage).toMatchObject({ [`${ofVersion},stage="compute"`]: 3, [`${ofVersion},stage="parse"`]: 5 });
    const ofTriton = 'model="tumour",version="1"';
    expect(await readMetric('nv_inference_request_success')).toEqual({ [ofTriton]: 3 });
    expect(await readMetric('nv_inference_request_failure')).toMatchObject({
      [`${ofTriton},reason="BACKEND"`]: 2,
      [`${ofTriton},reason="OTHER"`]: 1,
    });
  });

  it('shows one p95 to the autoscaler and to the operator', async () => {
    await runtime.infer(zeros);
    const p95 = (await readMetric('inference_latency_p95_ms'))[own];
    expect(p95).toBeGreaterThan(0);
    expect((await readReport())?.latencyP95Ms).toBe(p95);
  });

  it('does not count its own probes or those of the protocol', async () => {
    const before = await readReport();
    for (const address of ['/v2/health/live', '/v2/health/ready', '/v2/models/tumour'])
      await runtime.ask(address);
    expect((await readReport())?.total).toEqual(before?.total);
  });

  it('leaves the cause of an error in the log and out of the answer', async () => {
    const answer = await runtime.infer(sampleRequest, { headers: { 'x-request-id': 'find-me' } });
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.text)).toEqual({
      error: "the model failed on this request; the server's log has the cause under request id find-me",
    });
    const causes = runtime.log.filter(({ message }) => message === 'the model failed on a request');
    expect(causes[0]?.['cause']).toContain('Gather');
  });

  it('says why it is or is not ready', async () => {
    const { status, text } = await runtime.askManagement('/readyz');
    expect([status, JSON.parse(text)]).toEqual([200, { ready: true, reason: 'the model is ready' }]);
    expect((await runtime.askManagement('/livez')).text).toBe('{"live":true}');
    expect((await runtime.askManagement('/nothing')).status).toBe(404);
  });
});
