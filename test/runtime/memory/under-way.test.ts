import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repository } from '../../bed/layout.ts';
import { sampleRequest } from '../../support/example-models.ts';
import { RuntimeProcess } from '../../support/runtime-process.ts';

const CONNECTIONS = 256;
const MOST_BYTES = 8300;

let runtime: RuntimeProcess;

beforeAll(async () => {
  const teller = pathToFileURL(`${repository}/test/support/heap-teller.ts`).href;
  runtime = await RuntimeProcess.start({ NODE_OPTIONS: `--import=${teller}` });
}, 60_000);
afterAll(() => runtime.stop());

async function heapBytes(): Promise<number> {
  const lines = (): number[] =>
    runtime.log.flatMap(({ heapBytes }) => (heapBytes as number | undefined) ?? []);
  const before = lines().length;
  process.kill(runtime.processId, 'SIGUSR2');
  await runtime.until('telling what its heap holds', () => lines().length > before);
  return lines().at(-1) ?? NaN;
}

async function inFlight(): Promise<number> {
  return (JSON.parse((await runtime.askManagement('/headgate/report')).text) as { inFlight: number })
    .inFlight;
}

/** One request over each connection. */
async function askAll(): Promise<void> {
  const answers = await Promise.all(Array.from({ length: CONNECTIONS }, () => runtime.infer(sampleRequest)));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
}

describe('requests that are under way', { timeout: 60_000 }, () => {
  // Young memory copies all of them again and again: where each holds much, many connections are answered slower than few.
  it(`hold less than ${MOST_BYTES} bytes each`, async () => {
    for (let round = 0; round < 20; round++) await askAll();
    const idle = await heapBytes();
    process.kill(runtime.executorProcessId, 'SIGSTOP');
    const asked = askAll();
    await runtime.until('in receipt of all', async () => (await inFlight()) === CONNECTIONS);
    const busy = await heapBytes();
    process.kill(runtime.executorProcessId, 'SIGCONT');
    await asked;
    const bytesEach = (busy - idle) / CONNECTIONS;
    expect(bytesEach).toBeLessThan(MOST_BYTES);
  });
});
