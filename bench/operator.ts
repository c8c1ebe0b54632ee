import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ModelDeployment } from '../operator/api/model-deployment.ts';
import { createCaches } from '../operator/kube/caches.ts';
import { KubernetesCluster } from '../operator/kube/client.ts';
import { groupKey } from '../operator/kube/cluster.ts';
import { connectionFromFile } from '../operator/controller/connection.ts';
import { Discovery } from '../operator/controller/discovery.ts';
import { cachedKinds } from '../operator/kube/kinds.ts';
import { createTransport } from '../operator/controller/transport.ts';
import { plan } from '../operator/plan/plan.ts';
import { reconcile } from '../operator/reconcile.ts';
import { OperatorProcess, RUNTIME_IMAGE } from '../test/api-server/support/operator-process.ts';
import { repository } from '../test/bed/layout.ts';
import { run } from '../test/bed/shell.ts';
import { waitFor } from '../test/bed/wait.ts';
import { sideBySide, World } from './operator-world.ts';

/**
 * What the operator costs, on a real API server and in one run: the time from many new objects to all their children,
 * against a client that sends just the same requests; a pass with nothing to do, against a list of the same objects;
 * its memory.
 */

const { values: options } = parseArgs({ options: { objects: { type: 'string', default: '1000' } } });
const count = Number(options.objects);
const NOOP_ROUNDS = 5;
const LONGEST_PHASE_MS = 240_000;
const OPERATOR_NAMESPACE = 'operator';
const BARE_NAMESPACE = 'bare';

function print(name: string, figure: string): void {
  console.log(`${name.padEnd(64)}${figure.padStart(14)}`);
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const startedAtMs = performance.now();
  await work();
  return (performance.now() - startedAtMs) / 1000;
}

/** The first pass's own writes, sent without an operator. */
async function benchBare(world: World): Promise<number> {
  const modelDeployments = await world.createModelDeployments(BARE_NAMESPACE, count);
  const nothing = {
    children: [],
    pods: [],
    reports: new Map(),
    endpoints: {},
    gateways: { proxies: [], missing: [] },
    decisions: [],
  };
  const platform = { istio: true, customMetrics: false };
  const send = async (modelDeployment: ModelDeployment): Promise<void> => {
    const observed = { ...nothing, platform, refusedTraffic: [], defaultRuntimeImage: RUNTIME_IMAGE };
    const { actions, status } = plan(modelDeployment, observed, Date.now());
    for (const action of actions) if (action.kind === 'Apply') await world.apply(action.object);
    const { apiVersion, kind, metadata } = modelDeployment;
    const { name, namespace } = metadata;
    await world.apply(
      { apiVersion, kind, metadata: { name, namespace }, status } as ModelDeployment,
      '/status',
    );
  };
  return await secondsOf(() => sideBySide(modelDeployments, send));
}

async function metric(operator: OperatorProcess, name: string): Promise<number> {
  const { body } = await operator.ask('/metrics');
  const line = body.split('\n').find((candidate) => candidate.startsWith(`${name} `));
  return Number(line?.split(' ')[1] ?? 0);
}

async function allAre(operator: OperatorProcess, phase: string): Promise<void> {
  await waitFor(
    `all are ${phase}`,
    async () => (await metric(operator, `headgate_model_deployments{phase="${phase}"}`)) === count,
    { timeoutMs: LONGEST_PHASE_MS, everyMs: 50 },
  );
}

async function memoryMib(operator: OperatorProcess): Promise<string> {
  const bytes = await metric(operator, 'process_resident_memory_bytes');
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

async function benchOperator(world: World, bareSeconds: number): Promise<void> {
  const settings = {
    HEADGATE_WATCH_NAMESPACE: OPERATOR_NAMESPACE,
    HEADGATE_LEASE: `${OPERATOR_NAMESPACE}/headgate`,
  };
  const operator = await OperatorProcess.launch(world.server.kubeconfig, settings, 'dist/operator/main.js');
  await waitFor('the operator leads', async () => (await metric(operator, 'headgate_leader')) === 1);
  print('memory without objects', await memoryMib(operator));
  let modelDeployments: readonly ModelDeployment[] = [];
  const madeSeconds = await secondsOf(async () => {
    modelDeployments = await world.createModelDeployments(OPERATOR_NAMESPACE, count);
  });
  print(`users create ${count} objects`, `${(count / madeSeconds).toFixed(0)}/s`);
  // Objects that are created count from the first one on: the operator works on them meanwhile.
  const waitSeconds = await secondsOf(() => allHaveChildren(world));
  const seconds = madeSeconds + waitSeconds;
  print('operator: objects to all their children', `${(count / seconds).toFixed(0)}/s`);
  print('bare client: the same requests', `${(count / bareSeconds).toFixed(0)}/s`);
  print('  operator with the creation, against bare without it', `${(seconds / bareSeconds).toFixed(2)} ×`);
  await world.startPods(modelDeployments);
  const healthySeconds = await secondsOf(() => allAre(operator, 'Healthy'));
  print('pods ready to all Healthy (10 s of it are the mesh to learn)', `${healthySeconds.toFixed(1)} s`);
  print(`memory at ${count} objects with their pods`, await memoryMib(operator));
  await operator.terminate();
}

async function allHaveChildren(world: World): Promise<void> {
  await waitFor(
    'all have their children and their status',
    async () => {
      const list = (await world.list('ModelDeployment', OPERATOR_NAMESPACE)) as readonly ModelDeployment[];
      return list.length === count && list.every(({ status }) => status?.phase === 'Pending');
    },
    { timeoutMs: LONGEST_PHASE_MS, everyMs: 200 },
  );
}

/** The production caches, and passes one after the other as a worker makes them. */
async function benchNoop(world: World): Promise<void> {
  let writes = 0;
  const onAnswer = (verb: string): void => {
    if (verb !== 'get' && verb !== 'watch') writes += 1;
  };
  const transport = createTransport(connectionFromFile(world.server.kubeconfig), { onAnswer });
  const caches = createCaches({
    ...{ transport, namespace: OPERATOR_NAMESPACE },
    ...{ onChange: () => undefined, onServed: () => undefined, onTrouble: () => undefined },
  });
  caches.start();
  await caches.synced();
  const cluster = new KubernetesCluster(
    transport,
    caches,
    new Discovery({ transport, onChange: () => undefined }),
  );
  const context = { cluster, refuseTraffic: () => [], defaultRuntimeImage: RUNTIME_IMAGE };
  const keys = cluster
    .cachedAll('ModelDeployment')
    .map(({ metadata }) => groupKey(metadata.namespace ?? '', metadata.name));
  const durationsUs: number[] = [];
  for (let round = 0; round < NOOP_ROUNDS; round += 1) {
    for (const key of keys) durationsUs.push((await secondsOf(() => reconcile(context, key))) * 1e6);
  }
  await caches.stop();
  if (writes > 0) throw new Error(`${writes} writes in passes that should have nothing to do`);
  const sorted = durationsUs.slice(keys.length).sort((left, right) => left - right);
  const p50Us = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  print('a pass with nothing to do, p50', `${p50Us.toFixed(0)} µs`);
  print('  p99', `${(sorted[Math.floor(sorted.length * 0.99)] ?? NaN).toFixed(0)} µs`);
  await benchList(world, p50Us);
}

async function benchList(world: World, noopUs: number): Promise<void> {
  const seconds = await secondsOf(async () => {
    for (const kind of cachedKinds) await world.list(kind, OPERATOR_NAMESPACE);
  });
  const perObjectUs = (seconds / count) * 1e6;
  print('listing all of its objects once, per ModelDeployment', `${perObjectUs.toFixed(0)} µs`);
  print('  a pass with nothing to do, against that', `${(noopUs / perObjectUs).toFixed(2)} ×`);
}

// As in the image: Node's own stripping of types would be measured too.
await run('tsc', ['-p', join(repository, 'tsconfig.build.json')]);
const world = await World.create([OPERATOR_NAMESPACE, BARE_NAMESPACE]);
try {
  const bareSeconds = await benchBare(world);
  await benchOperator(world, bareSeconds);
  await benchNoop(world);
} finally {
  await world.stop();
}
