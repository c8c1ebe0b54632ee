import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventServer } from '../../support/event-server.ts';
import { sampleRequest } from '../../support/example-models.ts';
import { RuntimeProcess, type LogLine } from '../../support/runtime-process.ts';

let runtime: RuntimeProcess;
let events: EventServer;
let directory: string;

beforeEach(async () => {
  events = await EventServer.start();
  directory = mkdtempSync(path.join(tmpdir(), 'headgate-records-'));
});
afterEach(async () => {
  await runtime.stop();
  await events.stop();
  rmSync(directory, { recursive: true });
});

function infer(id: string, headers: Record<string, string> = {}): ReturnType<RuntimeProcess['infer']> {
  return runtime.infer(sampleRequest, { headers: { 'x-request-id': id, ...headers } });
}

async function counter(name: string, reason?: string): Promise<number> {
  const { text } = await runtime.askManagement('/metrics');
  const lines = text.split('\n').filter((line) => line.startsWith(`headgate_records_${name}_total{`));
  const line = lines.find((candidate) => reason === undefined || candidate.includes(`reason="${reason}"`));
  return Number(line?.split(' ').at(-1));
}

function recordLines(): LogLine[] {
  return runtime.log.filter((line) => line['type'] === 'decision');
}

function storedIds(): string[] {
  return readdirSync(directory)
    .flatMap((name) => readFileSync(path.join(directory, name), 'utf8').trim().split('\n'))
    .map((line) => (JSON.parse(line) as { requestId: string }).requestId);
}

function erase(body: unknown): ReturnType<RuntimeProcess['askManagement']> {
  return runtime.askManagement('/headgate/records/erase', {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
}

describe('decision records', { timeout: 60_000 }, () => {
  it('are not kept unless somebody asks for them', async () => {
    runtime = await RuntimeProcess.start();
    await infer('a');
    const { text } = await runtime.askManagement('/metrics');
    expect(text).not.toContain('headgate_records');
    expect((await erase({ requestIds: ['a'] })).status).toBe(409);
  });

  it('of answers, refusals and copies are lines among those of the log', async () => {
    runtime = await RuntimeProcess.start({
      HEADGATE_RECORDS_SINK: 'Stdout',
      HEADGATE_RECORDS_USER_HEADER: 'x-user',
    });
    await infer('good', { 'x-user': 'u-1' });
    await runtime.infer('{', { headers: { 'x-request-id': 'bad' } });
    await infer('copy', { 'x-headgate-destination': 'tumour-other' });
    await runtime.until('done with three records', () => recordLines().length === 3);
    expect(recordLines()).toMatchObject([
      {
        requestId: 'good',
        user: 'u-1',
        origin: 'User',
        status: 200,
        revision: 'tumour-7cb4d9f2a1',
        modelDigest: expect.stringMatching(/^[0-9a-f]{64}$/u) as string,
        inputDigest: expect.stringMatching(/^[0-9a-f]{64}$/u) as string,
        confidence: expect.any(Number) as number,
      },
      { requestId: 'bad', status: 400, reason: 'MalformedRequest' },
      { requestId: 'copy', origin: 'Mirror' },
    ]);
  });

  it('that are still under way are written when the server is asked to end', async () => {
    runtime = await RuntimeProcess.start({
      HEADGATE_RECORDS_SINK: 'File',
      HEADGATE_RECORDS_DIRECTORY: directory,
    });
    const ids = Array.from({ length: 50 }, (_, number) => `r${number}`);
    await Promise.all(ids.map((id) => infer(id)));
    runtime.kill('SIGTERM');
    expect(await runtime.exitCode()).toBe(0);
    expect(storedIds().toSorted()).toEqual(ids.toSorted());
  });

  it('in files are erased by the ids of their requests', async () => {
    runtime = await RuntimeProcess.start({
      HEADGATE_RECORDS_SINK: 'File',
      HEADGATE_RECORDS_DIRECTORY: directory,
    });
    for (const id of ['keep', 'forget']) await infer(id);
    const answer = await erase({ requestIds: ['forget', 'unknown'] });
    expect([answer.status, answer.text]).toEqual([200, '{"erased":1}']);
    expect(storedIds()).toEqual(['keep']);
    for (const body of [{}, { requestIds: [] }, { requestIds: [7] }]) {
      expect((await erase(body)).status).toBe(400);
    }
    const { status, text } = await runtime.askManagement('/headgate/records/erase', {
      method: 'POST',
      body: '{',
      headers: { 'content-type': 'application/json' },
    });
    expect(status).toBe(400);
    expect(text).not.toContain('node_modules');
  });

  it('on a volume that pods share are erased by each from its own folder', async () => {
    runtime = await RuntimeProcess.start({
      HEADGATE_RECORDS_SINK: 'File',
      HEADGATE_RECORDS_DIRECTORY: directory,
      HEADGATE_RECORDS_POD: 'tumour-a',
    });
    mkdirSync(path.join(directory, 'tumour-b'));
    for (const id of ['keep', 'forget']) await infer(id);
    const { text } = await erase({ requestIds: ['forget'] });
    expect(JSON.parse(text)).toEqual({ erased: 1, otherPods: ['tumour-b'] });
    expect(readdirSync(path.join(directory, 'tumour-a'))).toEqual(['records.jsonl']);
  });

  it('go out as CloudEvents that tools for KServe understand', async () => {
    runtime = await RuntimeProcess.start({
      HEADGATE_RECORDS_SINK: 'Http',
      HEADGATE_RECORDS_HTTP_URL: `${events.url}/default`,
      HEADGATE_RECORDS_HTTP_ALLOW: '127.0.0.0/8',
      HEADGATE_RECORDS_CONTENT: 'Full',
      HEADGATE_NAMESPACE: 'ml',
    });
    await infer('one');
    await runtime.until('rid of both events', () => events.received.length === 2);
    const byType = new Map(events.received.map((event) => [event.headers['ce-type'], event]));
    const request = byType.get('org.kubeflow.serving.inference.request');
    const response = byType.get('org.kubeflow.serving.inference.response');
    expect(request).toMatchObject({ path: '/default', headers: { 'ce-id': 'one', 'ce-namespace': 'ml' } });
    expect(JSON.parse(request?.body ?? '')).toMatchObject({ inputs: [{ name: 'X', shape: [1, 30] }] });
    expect(JSON.parse(response?.body ?? '')).toMatchObject({
      model_name: 'tumour',
      parameters: { status: 200 },
    });
  });

  it('are sent to no address that the platform has not allowed', async () => {
    runtime = await RuntimeProcess.start({
      HEADGATE_RECORDS_SINK: 'Http',
      HEADGATE_RECORDS_HTTP_URL: events.url,
    });
    expect((await infer('one')).status).toBe(200);
    await runtime.until('done with it', async () => (await counter('dropped', 'SinkFailed')) === 1);
    expect(events.received).toEqual([]);
  });

  it('that the sink refuses are lost and counted', async () => {
    events.reply = 'refuse';
    runtime = await RuntimeProcess.start({
      HEADGATE_RECORDS_SINK: 'Http',
      HEADGATE_RECORDS_HTTP_URL: events.url,
      HEADGATE_RECORDS_HTTP_ALLOW: '127.0.0.0/8',
    });
    await infer('one');
    await runtime.until('done with it', async () => (await counter('dropped', 'SinkFailed')) === 1);
    expect(runtime.log.find(({ message }) => message === 'decision records are lost')).toMatchObject({
      cause: 'the sink answered 503',
    });
  });

  /** So many that a pipe and every buffer on its way are full. */
  async function inferMany(): Promise<number[]> {
    const statuses: number[] = [];
    const ask = async (): Promise<void> => {
      for (let count = 0; count < 250; count++) statuses.push((await infer(`r${count}`)).status);
    };
    await Promise.all(Array.from({ length: 8 }, ask));
    return statuses;
  }

  it('never hold up an answer, nor the end of the server, when their sink hangs', async () => {
    events.reply = 'hang';
    runtime = await RuntimeProcess.start({
      HEADGATE_RECORDS_SINK: 'Http',
      HEADGATE_RECORDS_HTTP_URL: events.url,
      HEADGATE_RECORDS_HTTP_ALLOW: '127.0.0.0/8',
    });
    expect(new Set(await inferMany())).toEqual(new Set([200]));
    expect(await counter('written')).toBe(0);
    runtime.kill('SIGTERM');
    expect(await runtime.exitCode()).toBe(0);
  });

  it('never hold up an answer when nobody reads what the server prints', async () => {
    runtime = await RuntimeProcess.start({ HEADGATE_RECORDS_SINK: 'Stdout' });
    runtime.stopReading();
    expect(new Set(await inferMany())).toEqual(new Set([200]));
    expect(await counter('written')).toBeLessThan(2000);
  });
});
