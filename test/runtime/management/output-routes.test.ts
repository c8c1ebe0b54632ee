import { afterEach, describe, expect, it } from 'vitest';
import { sampleRequest } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

let runtime: RuntimeProcess;
afterEach(() => runtime.stop());

describe('GET /headgate/outputs', { timeout: 60_000 }, () => {
  it('gives out what was answered, by the id that both revisions know', async () => {
    runtime = await RuntimeProcess.start();
    await runtime.infer(sampleRequest, { headers: { 'x-request-id': 'one' } });
    const { text } = await runtime.askManagement('/headgate/outputs');
    const outputs = [{ name: 'label' }, { name: 'probabilities' }];
    expect(JSON.parse(text)).toMatchObject({
      revision: 'tumour-7cb4d9f2a1',
      share: 1,
      entries: [{ sequence: 1, requestId: 'one', origin: 'User', status: 200, outputs }],
    });
    const rest = await runtime.askManagement('/headgate/outputs?after=1');
    expect(JSON.parse(rest.text)).toMatchObject({ entries: [] });
    expect((await runtime.askManagement('/headgate/outputs?after=x')).status).toBe(400);
  });
});
