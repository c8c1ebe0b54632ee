import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleRequest } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

describe('what runs a model', () => {
  let home: string;
  let runtime: RuntimeProcess;

  beforeAll(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'headgate-home-'));
    runtime = await RuntimeProcess.start({ HOME: home });
    expect((await runtime.infer(sampleRequest)).status).toBe(200);
  });

  afterAll(async () => {
    await runtime.stop();
    await rm(home, { recursive: true });
  });

  it('keeps no identifier of the machine and nothing to be reported, where it could', async () => {
    expect(await readdir(home, { recursive: true })).toEqual([]);
  });
});
