import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entryServiceName, serviceHost } from '../../operator/api/names.ts';
import { readWrites } from '../bed/audit.ts';
import { startClient, type Client } from '../bed/client.ts';
import { isWithinBinomial, type Load } from '../bed/load.ts';
import { waitFor } from '../bed/wait.ts';
import { startInferLoad } from './support/infer-load.ts';
import { canarySteps, modelDeployment } from './support/model-deployment.ts';
import { useNamespace } from './support/namespace.ts';
import { describeCounts, describeFailures, drawsIn, provenWindows } from './support/rollout-story.ts';
import { operator, useStack } from './support/stack.ts';
import { isProven, StatusWatch } from './support/status-watch.ts';
import { waitForPhase } from './support/status.ts';

const stack = useStack();
const namespace = useNamespace(stack, 'mesh');
const scores = { namespace, name: 'scores' };
const percents = [30, 60, 100];

interface Caller {
  readonly client: Client;
  readonly load: Load;
}

let stable: string;
let candidate: string;
let watch: StatusWatch;
let withSidecar: Caller;
let withoutSidecar: Caller;
let overGrpc: Caller;

beforeAll(async () => {
  await apply('v1.onnx');
  stable = (await waitForPhase(stack.bed, scores, 'Healthy')).stable ?? '';
  [withSidecar, withoutSidecar, overGrpc] = await Promise.all([
    call('with', { sidecar: true }),
    call('without', { sidecar: false }),
    call('grpc', { sidecar: true, overGrpc: true }),
  ]);
  watch = new StatusWatch(stack.bed, scores);
  await apply('v2.onnx');
  const { candidate: tried = '' } = await watch.until(
    'the rollout begins',
    ({ rollout }) => rollout !== undefined,
  );
  candidate = tried;
  await watch.until('100 % are proven', (status) => isProven(status, candidate, 10_000));
  await watch.until('it is Healthy', ({ phase }) => phase === 'Healthy');
});

afterAll(async () => {
  await watch.stop();
  for (const { client, load } of [withSidecar, withoutSidecar, overGrpc]) {
    console.log(`mesh client: ${describeCounts(await load.stop())}`);
    await client.stop();
  }
});

describe('a client inside the cluster, during a canary', () => {
  it.for([
    ['over HTTP', () => withSidecar],
    ['over gRPC', () => overGrpc],
  ] as const)('follows the split of the gateways with a sidecar, %s', async ([, callerOf]) => {
    const { load } = callerOf();
    const routeWrites = await readWrites(stack.bed.auditLog, {
      ...{ user: operator.user, resource: 'virtualservices', namespace },
    });
    const windows = provenWindows(watch.seen, candidate, routeWrites);
    expect(windows.map(({ weight }) => weight)).toEqual(percents.map((percent) => percent * 100));
    for (const window of windows) {
      const [draw] = await drawsIn(window, load, candidate);
      expect({ ...draw, share: window.weight / 10_000 }).toSatisfy(isWithinBinomial);
    }
    expect(await describeFailures(load)).toEqual([]);
  });

  it('gets the stable revision only without a sidecar', async () => {
    const promoted = watch.seen.find(({ status }) => status.stable === candidate);
    const { byRevision, requests } = await withoutSidecar.load.snapshot({
      toMs: (promoted?.seenAtMs ?? 0) - 1_000,
    });
    expect(requests).toBeGreaterThan(500);
    expect(byRevision).toEqual({ [stable]: requests });
    expect(await describeFailures(withoutSidecar.load)).toEqual([]);
  });

  it('reaches the new stable revision without a sidecar once it is promoted', async () => {
    const { client, load } = await call('late', { sidecar: false });
    await waitFor('100 answers', async () => (await load.snapshot()).requests >= 100);
    const { byRevision, requests, failed } = await load.stop();
    await client.stop();
    expect(failed).toBe(0);
    expect(byRevision).toEqual({ [candidate]: requests });
  });
});

async function apply(model: string): Promise<void> {
  const steps = canarySteps(percents, '8s');
  await stack.bed.kubectl.apply([modelDeployment({ ...scores, modelUri: stack.modelUri(model), steps })]);
}

/** A client in a network namespace of its own that asks the entry Service again and again. */
async function call(
  name: string,
  { sidecar, overGrpc = false }: { readonly sidecar: boolean; readonly overGrpc?: boolean },
): Promise<Caller> {
  const client = await startClient(stack.bed, { name, namespace, sidecar });
  const service = entryServiceName(scores.name);
  const address = await stack.bed.kubectl(
    ...['get', 'service', service, '-n', namespace, '-o', 'jsonpath={.spec.clusterIP}'],
  );
  const load = await startInferLoad(stack.bed, {
    ...{ name: scores.name, host: serviceHost(service, namespace), requestsPerSecond: 70 },
    ...{ targets: [`${address.trim()}:${overGrpc ? 8081 : 80}`], enter: client.enter, overGrpc },
  });
  return { client, load };
}
