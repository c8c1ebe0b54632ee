import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ParameterValue } from '../../../runtime/inference/inference.ts';
import { refuseSequence } from '../../../runtime/inference/sequences.ts';
import { sampleRequest } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

describe('a request of a sequence', () => {
  it.each<[string, ParameterValue]>([
    ['sequence_id', 7],
    ['sequence_id', 2n ** 60n],
    ['sequence_id', 'conversation-7'],
    ['sequence_start', true],
    ['sequence_end', true],
  ])('is refused for %s = %s', (name, value) => {
    expect(() => refuseSequence(new Map([[name, value]]))).toThrow(
      `parameter '${name}': this server keeps no state from one request to the next`,
    );
  });

  it.each<[string, ParameterValue]>([
    ['sequence_id', 0],
    ['sequence_id', 0n],
    ['sequence_id', ''],
    ['sequence_start', false],
    ['sequence_end', false],
    ['priority', 3],
  ])('is none with %s = %s', (name, value) => {
    expect(() => refuseSequence(new Map([[name, value]]))).not.toThrow();
  });
});

describe('over REST', () => {
  let runtime: RuntimeProcess;
  beforeAll(async () => (runtime = await RuntimeProcess.start()));
  afterAll(() => runtime.stop());

  it.each([
    [{ sequence_id: 1, sequence_start: true }, 501],
    [{ sequence_id: 0, sequence_start: false, sequence_end: false }, 200],
  ])('%j is answered with %i', async (parameters, expected) => {
    const request = JSON.parse(sampleRequest.toString()) as object;
    const { status } = await runtime.infer(JSON.stringify({ ...request, parameters }));
    expect(status).toBe(expected);
  });
});
