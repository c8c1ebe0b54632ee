import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiError } from '../../../operator/controller/errors.ts';
import { Discovery } from '../../../operator/controller/discovery.ts';
import type { ApiRequest, Transport } from '../../../operator/controller/transport.ts';
import { waitFor } from '../../bed/wait.ts';

const METRICS = 'custom.metrics.k8s.io/v1beta2';

let discovery: Discovery;
/** The status of every answer; 0 stands for none. */
let status: number;
let asked: string[];
let changes: string[];

const transport: Transport = {
  async request({ path }: ApiRequest) {
    await Promise.resolve();
    asked.push(path);
    if (status === 0) throw new Error('the API server is away');
    if (status !== 200) throw new ApiError(status, 'Failed', 'no');
    return {};
  },
  lines: () => {
    throw new Error('nobody watches here');
  },
};

beforeEach(() => {
  [status, asked, changes] = [200, [], []];
  const onChange = (name: string, served: boolean): number => changes.push(`${name} ${served}`);
  discovery = new Discovery({ transport, onChange, everyMs: 2 });
});

afterEach(async () => {
  await discovery.stop();
});

async function severalRounds(): Promise<void> {
  const before = asked.length;
  await waitFor('five rounds', () => asked.length >= before + 5, { everyMs: 1 });
}

describe('the discovery of APIs', () => {
  it.each([
    [200, true],
    [404, false],
    // Registered, but its server does not answer yet.
    [503, true],
  ])('takes an answer of %i for served: %s', async (answer, served) => {
    status = answer;
    await expect(discovery.serves(METRICS)).resolves.toBe(served);
    expect(asked).toEqual(['/apis/custom.metrics.k8s.io/v1beta2']);
  });

  it('asks once for all passes', async () => {
    await Promise.all([discovery.serves(METRICS), discovery.serves(METRICS)]);
    await discovery.serves(METRICS);
    expect(asked).toHaveLength(1);
  });

  it('does not know what nobody has answered, and asks again the next time', async () => {
    status = 0;
    await expect(discovery.serves(METRICS)).rejects.toThrow('away');
    status = 404;
    await expect(discovery.serves(METRICS)).resolves.toBe(false);
  });

  it('notices that an API comes and goes', async () => {
    status = 404;
    await discovery.serves(METRICS);
    discovery.start();
    await severalRounds();
    status = 200;
    await waitFor('the first change', () => changes.length === 1, { everyMs: 1 });
    await expect(discovery.serves(METRICS)).resolves.toBe(true);
    status = 404;
    await waitFor('the second change', () => changes.length === 2, { everyMs: 1 });
    expect(changes).toEqual([`${METRICS} true`, `${METRICS} false`]);
  });

  it.each([
    [200, true],
    [404, false],
  ])('holds on to what it knows (%i) while the answers are failures', async (first, known) => {
    status = first;
    await discovery.serves(METRICS);
    discovery.start();
    for (const failure of [503, 500, 429, 403, 0]) {
      status = failure;
      await severalRounds();
    }
    await expect(discovery.serves(METRICS)).resolves.toBe(known);
    expect(changes).toEqual([]);
  });

  it('asks nobody any more once it is stopped', async () => {
    await discovery.serves(METRICS);
    discovery.start();
    await severalRounds();
    await discovery.stop();
    const { length } = asked;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(asked).toHaveLength(length);
  });
});
