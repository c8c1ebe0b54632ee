import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labels } from '../../operator/api/names.ts';
import type { Load } from '../bed/load.ts';
import { listPods } from '../bed/pods.ts';
import { waitFor } from '../bed/wait.ts';
import { startInferLoad } from './support/infer-load.ts';
import { modelDeployment } from './support/model-deployment.ts';
import { useNamespace } from './support/namespace.ts';
import { describeCounts, describeFailures } from './support/rollout-story.ts';
import { useStack } from './support/stack.ts';
import { StatusWatch } from './support/status-watch.ts';
import { waitForPhase } from './support/status.ts';

/** `make swaps` makes 20; each takes about a quarter of a minute. */
const swaps = Number(process.env['HEADGATE_SWAPS'] ?? 2);
const stack = useStack();
const namespace = useNamespace(stack, 'swaps');
const name = 'swap';
const swap = { namespace, name };
const requestsPerSecond = 110;
const models = ['v1.onnx', 'v2.onnx'] as const;
const SWAP_LIMIT_MS = 120_000;

let load: Load;
let watch: StatusWatch;
/** In the order in which they were promoted. */
const promoted: string[] = [];
let podsAtFirst: number;

beforeAll(
  async () => {
    await apply(models[0]);
    const { stable = '' } = await waitForPhase(stack.bed, swap, 'Healthy');
    promoted.push(stable);
    podsAtFirst = (await pods()).length;
    watch = new StatusWatch(stack.bed, swap);
    load = await startInferLoad(stack.bed, { name, requestsPerSecond });
    for (let count = 1; count <= swaps; count++) {
      const from = promoted.at(-1);
      await apply(models[count % models.length] ?? models[0]);
      const status = await watch.until(
        `swap ${count} is over`,
        ({ phase, stable: now }) => phase === 'Healthy' && now !== from,
        SWAP_LIMIT_MS,
      );
      promoted.push(status.stable ?? '');
    }
  },
  SWAP_LIMIT_MS * (swaps + 1),
);

afterAll(async () => {
  await watch.stop();
  console.log(`${swaps} swaps: ${describeCounts(await load.stop())}`);
});

/** What servers with many models in one process do by loading and unloading; decision 0070 says why pods do it here. */
describe('a model that is swapped again and again under load', () => {
  it('fails no request', async () => {
    expect(await describeFailures(load)).toEqual([]);
    const { requests } = await load.snapshot();
    expect(requests).toBeGreaterThan(requestsPerSecond * 5 * swaps);
  });

  it('is another one after each swap', () => {
    expect(promoted).toHaveLength(swaps + 1);
    expect(new Set(promoted)).toEqual(new Set(promoted.slice(0, models.length)));
  });

  it('is answered by nothing but what was promoted, each time in one step', async () => {
    const answering = (await load.records()).map(({ revision }) => revision);
    expect(new Set(answering)).toEqual(new Set(promoted));
  });

  it('gives back what the models that were left took', { timeout: SWAP_LIMIT_MS }, async () => {
    await waitFor('the pods of one model are left', async () => (await pods()).length === podsAtFirst, {
      ...{ timeoutMs: SWAP_LIMIT_MS, everyMs: 250 },
    });
    const ofTheLast = await listPods(stack.bed, namespace, `${labels.revision}=${promoted.at(-1) ?? ''}`);
    expect(ofTheLast).toHaveLength(podsAtFirst);
  });
});

async function apply(model: string): Promise<void> {
  const rollout = { strategy: 'BlueGreen', blueGreen: { keepOldFor: '1s', autoPromote: { after: '1s' } } };
  const scaling = { minReplicas: 1, maxReplicas: 2, targetP95: '500ms' };
  await stack.bed.kubectl.apply([
    modelDeployment({ ...swap, modelUri: stack.modelUri(model), scaling, rollout }),
  ]);
}

async function pods(): ReturnType<typeof listPods> {
  return await listPods(stack.bed, namespace, `${labels.modelDeployment}=${name}`);
}
