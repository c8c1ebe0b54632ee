import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatewayVirtualServiceName, meshVirtualServiceName } from '../../operator/api/names.ts';
import type { Load } from '../bed/load.ts';
import { waitFor } from '../bed/wait.ts';
import { startInferLoad } from './support/infer-load.ts';
import { modelDeployment } from './support/model-deployment.ts';
import { useNamespace } from './support/namespace.ts';
import { describeCounts, describeFailures } from './support/rollout-story.ts';
import { useStack } from './support/stack.ts';
import { waitForPhase } from './support/status.ts';

const stack = useStack();
const namespace = useNamespace(stack, 'repair');
const quotes = { namespace, name: 'quotes' };
const mesh = meshVirtualServiceName(quotes.name);
const gateways = gatewayVirtualServiceName(quotes.name);

let revision: string;
let load: Load;

beforeAll(async () => {
  await stack.bed.kubectl.apply([modelDeployment({ ...quotes, modelUri: stack.modelUri('v1.onnx') })]);
  revision = (await waitForPhase(stack.bed, quotes, 'Healthy')).stable ?? '';
  load = await startInferLoad(stack.bed, { name: quotes.name, requestsPerSecond: 100 });
});

afterAll(async () => {
  console.log(`repair: ${describeCounts(await load.stop())}`);
});

/** Children whose absence for a moment hurts no request through a gateway. */
const harmless: readonly (readonly [kind: string, name: () => string])[] = [
  ['horizontalpodautoscaler', () => revision],
  ['poddisruptionbudget', () => revision],
  ['destinationrule', () => revision],
  ['controllerrevision', () => revision],
  // Its pods stay, and the new one takes them over.
  ['deployment', () => revision],
  ['service', () => quotes.name],
  ['virtualservice', () => mesh],
];

describe('what somebody breaks by hand', () => {
  it.for(harmless)('brings a deleted %s back, and no request notices', async ([kind, name]) => {
    const fromMs = Date.now();
    await deleteAndWait(kind, name());
    await waitForPhase(stack.bed, quotes, 'Healthy');
    expect(await describeFailures(load, { fromMs })).toEqual([]);
  });

  it.for([
    ['the routes of the gateways', 'virtualservice', () => gateways] as const,
    ['the Service of the revision', 'service', () => revision] as const,
  ])('brings %s back, and the requests with them', async ([, kind, name]) => {
    await deleteAndWait(kind, name());
    await waitForPhase(stack.bed, quotes, 'Healthy');
    await waitFor('200 requests in a row are answered', async () => {
      const last = (await load.records()).slice(-200);
      return last.every(({ status }) => status === 200);
    });
  });

  it('puts a hand-edited VirtualService right, field by field, under load', async () => {
    const before = await readSpec();
    const fromMs = Date.now();
    const patched = await stack.bed.kubectl(
      ...['patch', 'virtualservice', gateways, '-n', namespace, '--type=json', '-o', 'json', '-p'],
      JSON.stringify([
        { op: 'replace', path: '/spec/http/2/timeout', value: '7s' },
        { op: 'replace', path: '/spec/http/2/retries/attempts', value: 5 },
        { op: 'remove', path: '/spec/http/2/headers' },
        { op: 'add', path: '/spec/hosts/-', value: 'somebody-elses.example.com' },
        { op: 'remove', path: '/spec/http/0' },
      ]),
    );
    expect((JSON.parse(patched) as { readonly spec: unknown }).spec).not.toEqual(before);
    await waitFor(
      'it is as before',
      async () => JSON.stringify(await readSpec()) === JSON.stringify(before),
      {
        timeoutMs: 15_000,
      },
    );
    await waitForPhase(stack.bed, quotes, 'Healthy');
    expect(await describeFailures(load, { fromMs })).toEqual([]);
  });
});

async function deleteAndWait(kind: string, name: string): Promise<void> {
  const before = await uidOf(kind, name);
  expect(before).not.toBe('');
  // The operator may make the new one before kubectl has begun to wait for the end of the old one.
  await stack.bed.kubectl('delete', kind, name, '-n', namespace, '--cascade=orphan', '--wait=false');
  await waitFor(`another ${kind} ${name}`, async () => ![before, ''].includes(await uidOf(kind, name)), {
    timeoutMs: 15_000,
  });
}

async function uidOf(kind: string, name: string): Promise<string> {
  return await stack.bed.kubectl(
    ...['get', kind, name, '-n', namespace, '--ignore-not-found', '-o', 'jsonpath={.metadata.uid}'],
  );
}

async function readSpec(): Promise<unknown> {
  const found = await stack.bed.kubectl.json('get', 'virtualservice', gateways, '-n', namespace);
  return (found as { readonly spec: unknown }).spec;
}
