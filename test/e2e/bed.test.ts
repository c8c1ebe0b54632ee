import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readWrites } from '../bed/audit.ts';
import { startBed, type Bed } from '../bed/bed.ts';
import { startClient } from '../bed/client.ts';
import { addresses, bedLayout, names } from '../bed/layout.ts';
import { isWithinBinomial, startLoad } from '../bed/load.ts';
import { containerPid, forceDeletePod, gatewayPods, gatewayTargets, waitForReadyPods } from '../bed/pods.ts';
import { findObstacles } from '../bed/preflight.ts';
import { get } from '../bed/probe.ts';
import { askIstiod, clustersOf } from '../bed/proxies.ts';
import { waitFor } from '../bed/wait.ts';
import { echoRevision, virtualService } from '../bed/echo.ts';

const namespace = 'bed-test';
const host = 'echo.example.com';
let bed: Bed;

beforeAll(async () => {
  bed = await startBed({ print: console.log });
  await bed.kubectl.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }]);
  await bed.kubectl.apply([
    ...echoRevision({ namespace, revision: 'r1', replicas: 2, p95Ms: 20 }),
    ...echoRevision({ namespace, revision: 'r2', replicas: 1, p95Ms: 160 }),
    entryService(),
    virtualService({ namespace, host, hash: 'first', weights: { r1: 9000, r2: 1000 } }),
  ]);
  await waitForReadyPods(bed, { namespace, selector: 'app=echo', count: 3 });
});

afterAll(async () => {
  await bed.kubectl('delete', 'namespace', namespace, '--wait=true');
});

describe('the test bed', () => {
  it('splits weights of 9000 and 1000 through both gateways within binomial bounds', async () => {
    await proven('first');
    const load = await startLoad({
      requestsPerSecond: 300,
      targets: await gatewayTargets(bed),
      host,
      path: '/',
    });
    const counts = await waitFor('2000 answers', async () => {
      const now = await load.snapshot();
      return now.requests >= 2000 ? now : undefined;
    });
    await load.stop();
    expect(counts.failed).toBe(0);
    const total = counts.requests;
    expect(isWithinBinomial({ count: counts.byRevision['r2'] ?? 0, total, share: 0.1 })).toBe(true);
    expect((counts.byRevision['r1'] ?? 0) + (counts.byRevision['r2'] ?? 0)).toBe(total);
  });

  it('answers the probe of a new routing at each gateway pod soon after the write', async () => {
    const times: number[] = [];
    for (let round = 0; round < 10; round += 1) {
      const hash = `round-${round}`;
      await bed.kubectl.apply([
        virtualService({ namespace, host, hash, weights: { r1: 5000 + round, r2: 5000 - round } }),
      ]);
      const writtenMs = performance.now();
      await proven(hash);
      times.push(performance.now() - writtenMs);
    }
    console.log(
      `probe at both gateways after the write, ms: ${times.map((time) => time.toFixed(0)).join(' ')}`,
    );
    expect(Math.max(...times)).toBeLessThan(5_000);
  });

  it('makes gateways know a destination of weight 0 before it gets traffic', async () => {
    await bed.kubectl.apply([
      virtualService({ namespace, host, hash: 'staged', weights: { r1: 10_000, r2: 0 } }),
    ]);
    await proven('staged');
    for (const { address } of await gatewayPods(bed)) {
      expect(await clustersOf(address)).toContain(`outbound|8080||r2.${namespace}.svc.cluster.local`);
    }
    const load = await startLoad({
      requestsPerSecond: 300,
      targets: await gatewayTargets(bed),
      host,
      path: '/',
    });
    await waitFor('500 answers', async () => (await load.snapshot()).requests >= 500);
    const counts = await load.stop();
    expect(counts.byRevision).toEqual({ r1: counts.requests });
  });

  it('holds a stopped gateway at its last routing and lets it catch up', async () => {
    const [first, second] = await gatewayPods(bed);
    if (first === undefined || second === undefined) throw new Error('two gateways are needed');
    const pid = await containerPid(bed, first, 'envoy');
    process.kill(pid, 'SIGSTOP');
    await bed.kubectl.apply([
      virtualService({ namespace, host, hash: 'held', weights: { r1: 1, r2: 9999 } }),
    ]);
    await waitFor(
      'the living gateway answers the new probe',
      async () => (await probe(second.address)) === 'held',
    );
    await expect(probe(first.address)).rejects.toThrow();
    process.kill(pid, 'SIGCONT');
    await waitFor('the stopped gateway catches up', async () => (await probe(first.address)) === 'held');
  });

  it('lets an autoscaler read the p95 of pods through the adapter and act on it', async () => {
    await bed.kubectl.apply([autoscaler()]);
    const seen = await waitFor(
      'the autoscaler reads 160/80 and scales up',
      async () => {
        const found = (await bed.kubectl.json('get', 'hpa', 'r2', '-n', namespace)) as Autoscaler;
        const value = found.status?.currentMetrics?.[0]?.pods?.current.averageValue;
        return value !== undefined && (found.status?.desiredReplicas ?? 0) > 1 ? value : undefined;
      },
      { timeoutMs: 90_000, everyMs: 500 },
    );
    expect(seen).toBe('160');
  });

  it('sends a client with a sidecar the weights of the mesh, and a client without one the entry Service', async () => {
    await bed.kubectl.apply([
      virtualService({
        namespace,
        host: `echo.${namespace}.svc.cluster.local`,
        hash: 'mesh',
        weights: { r1: 5000, r2: 5000 },
        mesh: true,
      }),
    ]);
    const address = (
      await bed.kubectl('get', 'service', 'echo', '-n', namespace, '-o', 'jsonpath={.spec.clusterIP}')
    ).trim();
    for (const sidecar of [true, false]) {
      const client = await startClient(bed, {
        name: `client-${sidecar ? 'with' : 'without'}`,
        namespace,
        sidecar,
      });
      const load = await startLoad({
        ...{
          requestsPerSecond: 200,
          targets: [`${address}:80`],
          host: `echo.${namespace}.svc.cluster.local`,
        },
        ...{ path: '/', enter: client.enter },
      });
      await waitFor('600 answers', async () => (await load.snapshot()).requests >= 600);
      const counts = await load.stop();
      await client.stop();
      expect(counts.failed).toBe(0);
      const share = sidecar ? 0.5 : 0;
      expect(isWithinBinomial({ count: counts.byRevision['r2'] ?? 0, total: counts.requests, share })).toBe(
        true,
      );
    }
  });

  it('brings a pod that was killed without grace back, and tells in the audit log who wrote what', async () => {
    const [victim] = await waitForReadyPods(bed, {
      namespace,
      selector: 'headgate.dev/revision=r1',
      count: 2,
    });
    if (victim === undefined) throw new Error('no pod');
    await forceDeletePod(bed, namespace, victim.name);
    await waitForReadyPods(bed, { namespace, selector: 'headgate.dev/revision=r1', count: 2 });
    const writes = await readWrites(bed.auditLog, { user: 'bed-admin', resource: 'pods', namespace });
    expect(writes.map(({ verb, name }) => [verb, name])).toContainEqual(['delete', victim.name]);
  });

  it('refuses to start where another one stands, and names each thing that is taken', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'headgate-taken-'));
    await writeFile(join(folder, 'somebody-elses'), '');
    const obstacles = await findObstacles(bedLayout(folder));
    await rm(folder, { recursive: true });
    expect(obstacles).toEqual([
      expect.stringContaining(`the folder ${folder} is not empty`) as string,
      `the network link ${names.link} exists already and is not ours`,
      ...[addresses.nodeRange, addresses.podRange, addresses.serviceRange].map(
        (range) => expect.stringContaining(`the addresses ${range} are taken by the route `) as string,
      ),
    ]);
  });

  it('shows the proxies and their nonces in the debug answers of istiod', async () => {
    const proxies = JSON.parse(await askIstiod(bed, '/debug/syncz')) as unknown[];
    expect(proxies.length).toBeGreaterThanOrEqual(2);
  });
});

interface Autoscaler {
  readonly status?: {
    readonly desiredReplicas?: number;
    readonly currentMetrics?: readonly {
      readonly pods?: { readonly current: { readonly averageValue?: string } };
    }[];
  };
}

/** The hash that one gateway pod answers on the probe's path. */
async function probe(address: string): Promise<string> {
  return (await get(address, 8080, '/.headgate/routing', host)).body;
}

async function proven(hash: string): Promise<void> {
  const gateways = await gatewayPods(bed);
  expect(gateways).toHaveLength(2);
  for (const { address, name } of gateways) {
    await waitFor(`${name} answers ${hash}`, async () => (await probe(address)) === hash, { everyMs: 10 });
  }
}

function entryService(): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name: 'echo' },
    spec: {
      selector: { app: 'echo', 'headgate.dev/revision': 'r1' },
      ports: [{ name: 'http', port: 80, targetPort: 8080, appProtocol: 'http' }],
    },
  };
}

function autoscaler(): object {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { namespace, name: 'r2' },
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'r2' },
      minReplicas: 1,
      maxReplicas: 3,
      metrics: [
        {
          type: 'Pods',
          pods: {
            metric: { name: 'inference_latency_p95_ms' },
            target: { type: 'AverageValue', averageValue: '80' },
          },
        },
      ],
    },
  };
}
