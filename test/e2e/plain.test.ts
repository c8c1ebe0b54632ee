import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelDeploymentStatus } from '../../operator/api/model-deployment.ts';
import { entryServiceName, labels, serviceHost } from '../../operator/api/names.ts';
import { startClient, type Client } from '../bed/client.ts';
import type { Load } from '../bed/load.ts';
import { waitForNoPods } from '../bed/pods.ts';
import { startInferLoad } from './support/infer-load.ts';
import { modelDeployment } from './support/model-deployment.ts';
import { useNamespace } from './support/namespace.ts';
import { killOperator } from './support/operator.ts';
import { describeCounts, describeFailures } from './support/rollout-story.ts';
import { useStack } from './support/stack.ts';
import { StatusWatch } from './support/status-watch.ts';
import { waitForPhase } from './support/status.ts';

const stack = useStack();
const namespace = useNamespace(stack, 'plain');
const name = 'churn';
const churn = { namespace, name };
const requestsPerSecond = 110;

/** From the edit until the pods of the revision that was left are gone. */
interface Change {
  readonly from: string;
  readonly to: string;
  readonly promotedAtMs: number;
  readonly goneAtMs: number;
}

let client: Client;
/** One keeps its connections for as long as it may, the other opens one for each request. */
let loads: Readonly<Record<'kept' | 'fresh', Load>>;
let watch: StatusWatch;
let healthy: ModelDeploymentStatus;
let rolling: Change;
let blueGreen: Change;

beforeAll(async () => {
  await apply('v1.onnx', { strategy: 'RollingUpdate' });
  healthy = await waitForPhase(stack.bed, churn, 'Healthy');
  client = await startClient(stack.bed, { name: 'caller', namespace, sidecar: false });
  const [kept, fresh] = await Promise.all([call({}), call({ connection: 'close' })]);
  loads = { kept, fresh };
  watch = new StatusWatch(stack.bed, churn);
  rolling = await change('v2.onnx', { strategy: 'RollingUpdate' }, () => killOperator(stack.bed));
  const autoPromote = { after: '1s' };
  blueGreen = await change('v1.onnx', {
    strategy: 'BlueGreen',
    blueGreen: { keepOldFor: '5s', autoPromote },
  });
});

afterAll(async () => {
  await watch.stop();
  for (const [connections, load] of Object.entries(loads)) {
    console.log(`plain Service, ${connections} connections: ${describeCounts(await load.stop())}`);
  }
  await client.stop();
});

describe('a rolling update and a blue-green switch on a plain Service, under load', () => {
  it.each(['kept', 'fresh'] as const)('lose no request of a client with %s connections', async (which) => {
    expect(await describeFailures(loads[which])).toEqual([]);
    const { requests } = await loads[which].snapshot();
    expect(requests).toBeGreaterThan(requestsPerSecond * 10);
  });

  it.each(['kept', 'fresh'] as const)('take along every client with %s connections', async (which) => {
    const records = await loads[which].records();
    const answering = (fromMs: number, toMs = Infinity): Set<string> =>
      new Set(
        records
          .filter(({ sentAtMs }) => sentAtMs > fromMs && sentAtMs < toMs)
          .map(({ revision }) => revision),
      );
    expect(answering(rolling.goneAtMs)).toEqual(new Set([rolling.to, blueGreen.to]));
    expect(answering(blueGreen.goneAtMs)).toEqual(new Set([blueGreen.to]));
  });

  it('end no pod of the old revision before all users are promised to the new one', () => {
    expect(rolling.goneAtMs).toBeGreaterThan(rolling.promotedAtMs);
    expect(blueGreen.goneAtMs - blueGreen.promotedAtMs).toBeGreaterThan(5_000);
  });

  it('say that a plain Service cannot divide its users, and never that nobody is served', () => {
    const conditionOf = ({ conditions = [] }: ModelDeploymentStatus, wanted: string): string | undefined =>
      conditions.find(({ type }) => type === wanted)?.status;
    expect(conditionOf(healthy, 'SplitsTraffic')).toBe('False');
    const available = watch.seen.map(({ status }) => conditionOf(status, 'Available'));
    expect(new Set(available)).toEqual(new Set(['True']));
  });
});

async function apply(model: string, rollout: object): Promise<void> {
  const scaling = { minReplicas: 2, maxReplicas: 3, targetP95: '500ms' };
  const traffic = { router: 'Service' };
  const modelUri = stack.modelUri(model);
  await stack.bed.kubectl.apply([modelDeployment({ ...churn, modelUri, scaling, traffic, rollout })]);
}

async function call(headers: Readonly<Record<string, string>>): Promise<Load> {
  const service = entryServiceName(name);
  const address = await stack.bed.kubectl(
    ...['get', 'service', service, '-n', namespace, '-o', 'jsonpath={.spec.clusterIP}'],
  );
  return await startInferLoad(stack.bed, {
    ...{ name, host: serviceHost(service, namespace), requestsPerSecond, headers },
    ...{ targets: [`${address.trim()}:80`], enter: client.enter },
  });
}

async function change(model: string, rollout: object, meanwhile?: () => Promise<void>): Promise<Change> {
  const from = watch.seen.at(-1)?.status.stable ?? healthy.stable ?? '';
  await apply(model, rollout);
  await watch.until('it begins', ({ candidate }) => candidate !== undefined && candidate !== from);
  await meanwhile?.();
  const { stable: to = '' } = await watch.until(
    'it is promoted',
    ({ phase, stable }) => phase === 'Healthy' && stable !== from,
    120_000,
  );
  const promotedAtMs = Date.now();
  await waitForNoPods(stack.bed, { namespace, selector: `${labels.revision}=${from}` });
  return { from, to, promotedAtMs, goneAtMs: Date.now() };
}
