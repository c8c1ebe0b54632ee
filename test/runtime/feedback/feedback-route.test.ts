import { afterEach, describe, expect, it } from 'vitest';
import { sampleRequest } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

let runtime: RuntimeProcess;
afterEach(() => runtime.stop());

function send(body: unknown): ReturnType<RuntimeProcess['ask']> {
  return runtime.ask('/feedback', { method: 'POST', body: JSON.stringify(body) });
}

describe('POST /feedback', { timeout: 60_000 }, () => {
  it('joins a label with the answer to a request, as a metric and as a record', async () => {
    runtime = await RuntimeProcess.start({
      HEADGATE_FEEDBACK_ANSWERS: '100',
      HEADGATE_RECORDS_SINK: 'Stdout',
    });
    const answer = await runtime.infer(sampleRequest, { headers: { 'x-request-id': 'one' } });
    const { outputs } = JSON.parse(answer.text) as { outputs: { name: string; data: unknown[] }[] };
    const label = outputs.find(({ name }) => name === 'label')?.data[0];
    const joined = await send({ request_id: 'one', label });
    const revision = 'tumour-7cb4d9f2a1';
    expect([joined.status, JSON.parse(joined.text)]).toEqual([
      200,
      { request_id: 'one', revision, accuracy: 1 },
    ]);
    const again = await send({ request_id: 'one', label });
    expect(again.status).toBe(404);
    expect(again.text).toContain("no answer to a request 'one' waits for its label here");
    expect((await send({ request_id: 'one' })).status).toBe(400);
    const { text } = await runtime.askManagement('/metrics');
    expect(text).toMatch(/^headgate_feedback_accuracy\{.*\} 1$/mu);
    const isFeedback = (line: Readonly<Record<string, unknown>>): boolean => line['type'] === 'feedback';
    await runtime.until('done with the record', () => runtime.log.some(isFeedback));
    expect(runtime.log.find(isFeedback)).toMatchObject({ requestId: 'one', accuracy: 1 });
  });

  it('is not there unless somebody waits for labels', async () => {
    runtime = await RuntimeProcess.start();
    expect((await send({ request_id: 'one', label: 1 })).status).toBe(404);
  });
});
