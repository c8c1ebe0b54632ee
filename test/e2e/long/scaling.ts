import { afterAll, describe, it } from 'vitest';
import { labels, LATENCY_METRIC } from '../../../operator/api/names.ts';
import type { Load } from '../../bed/load.ts';
import { listPods } from '../../bed/pods.ts';
import { waitFor } from '../../bed/wait.ts';
import { failuresOf } from '../support/failures.ts';
import { startInferLoad } from '../support/infer-load.ts';
import { canarySteps, modelDeployment } from '../support/model-deployment.ts';
import { useNamespace } from '../support/namespace.ts';
import { weightsAtGateways } from '../support/proxies.ts';
import { useStack } from '../support/stack.ts';
import { readStatus, waitForPhase, waitForStatus } from '../support/status.ts';

const stack = useStack();
const namespace = useNamespace(stack, 'scaling');
const targetP95Ms = 4;
const loads: Load[] = [];

export function scalingStories(): void {
  describe.concurrent('the autoscaler of a revision', () => {
    afterAll(async () => {
      await Promise.all(loads.map((load) => load.stop()));
    });

    it('adds pods while their p95 is above the target, and removes them after the load', async ({
      expect,
    }) => {
      const name = { namespace, name: 'busy' };
      await stack.bed.kubectl.apply([
        modelDeployment({
          ...{ ...name, modelUri: stack.modelUri('slow.onnx'), hosts: [hostOf(name.name)] },
          scaling: { minReplicas: 1, maxReplicas: 3, targetP95: `${targetP95Ms}ms` },
        }),
      ]);
      const { stable = '' } = await waitForPhase(stack.bed, name, 'Healthy');
      const load = await startInferLoad(stack.bed, {
        ...{ name: name.name, host: hostOf(name.name), requestsPerSecond: 10 },
      });
      loads.push(load);
      const startedMs = performance.now();
      const up = await waitForAutoscaler(
        stable,
        'wants more than one pod because of the p95',
        (autoscaler) => {
          return p95Of(autoscaler) > targetP95Ms && (autoscaler.status?.desiredReplicas ?? 0) > 1;
        },
      );
      const upAfter = secondsSince(startedMs);
      await waitForReadyPods(stable, (count) => count > 1);
      expect(await failuresOf(load)).toEqual([]);
      await load.stop();
      const stoppedMs = performance.now();
      expect(up.spec?.metrics?.map(({ pods }) => pods?.metric.name)).toEqual([LATENCY_METRIC]);

      await waitForAutoscaler(stable, 'reads a defined p95 without traffic', (now) => p95Of(now) === 0);
      await waitForAutoscaler(stable, 'wants one pod again', (now) => now.status?.desiredReplicas === 1);
      await waitForReadyPods(stable, (count) => count === 1);
      console.log(
        `p95 of ${p95Of(up)} ms: up after ${upAfter} s of load, down ${secondsSince(stoppedMs)} s after it`,
      );
      expect((await readStatus(stack.bed, name))?.phase).toBe('Healthy');
    });

    it('gives the receiver of traffic its floor of ready pods before each step', async ({ expect }) => {
      const name = { namespace, name: 'floor' };
      const manifest = (file: string): object =>
        modelDeployment({
          ...{ ...name, modelUri: stack.modelUri(file), hosts: [hostOf(name.name)] },
          scaling: { minReplicas: 3, maxReplicas: 4, targetP95: '2s' },
          steps: canarySteps([10, 50, 100], '1s'),
        });
      await stack.bed.kubectl.apply([manifest('v1.onnx')]);
      const { stable: first = '' } = await waitForPhase(stack.bed, name, 'Healthy');
      const load = await startInferLoad(stack.bed, {
        ...{ name: name.name, host: hostOf(name.name), requestsPerSecond: 30 },
      });
      loads.push(load);
      await stack.bed.kubectl.apply([manifest('v2.onnx')]);
      const { candidate = '' } = await waitForStatus(stack.bed, name, {
        what: 'tries the second version',
        is: (status) => status.candidate !== undefined,
      });

      const seen = new Map<number, { readonly readyPods: number; readonly floor: number }>();
      await waitFor(
        'the second version is promoted',
        async () => {
          // The share first: pods that come after it must not be counted for it.
          const weight = await largestShareOf(name, candidate);
          if (weight > 0 && !seen.has(weight)) {
            const [readyPods, autoscaler] = await Promise.all([
              countReadyPods(candidate),
              readAutoscaler(candidate),
            ]);
            seen.set(weight, { readyPods, floor: autoscaler.spec?.minReplicas ?? 0 });
          }
          const status = await readStatus(stack.bed, name);
          return status?.phase === 'Healthy' && status.stable === candidate;
        },
        { timeoutMs: 120_000, everyMs: 50 },
      );
      expect([...seen.keys()]).toEqual([1000, 5000, 10_000]);
      for (const [weight, { readyPods, floor }] of seen) {
        const needed = Math.ceil((3 * weight) / 10_000);
        expect({ weight, readyPods }).toEqual({ weight, readyPods: Math.max(needed, readyPods) });
        expect(floor).toBeGreaterThanOrEqual(needed);
      }
      console.log(`floor: ${JSON.stringify([...seen])}`);
      await waitFor('the first version is gone', async () => (await countReadyPods(first)) === 0, {
        timeoutMs: 60_000,
        everyMs: 500,
      });
      expect(await failuresOf(load)).toEqual([]);
    });
  });
}

/** Nobody else's, not even that of an earlier run whose namespace is still on its way out. */
function hostOf(name: string): string {
  return `${name}.${namespace}.example.com`;
}

interface Autoscaler {
  readonly spec?: {
    readonly minReplicas?: number;
    readonly metrics?: readonly { readonly pods?: { readonly metric: { readonly name: string } } }[];
  };
  readonly status?: {
    readonly desiredReplicas?: number;
    readonly currentMetrics?: readonly {
      readonly pods?: { readonly current: { readonly averageValue?: string } };
    }[];
  };
}

async function readAutoscaler(revision: string): Promise<Autoscaler> {
  return (await stack.bed.kubectl.json('get', 'hpa', revision, '-n', namespace)) as Autoscaler;
}

async function waitForAutoscaler(
  revision: string,
  what: string,
  is: (autoscaler: Autoscaler) => boolean,
): Promise<Autoscaler> {
  return await waitFor(
    `the autoscaler of ${revision} ${what}`,
    async () => {
      const autoscaler = await readAutoscaler(revision);
      if (is(autoscaler)) return autoscaler;
      throw new Error(JSON.stringify(autoscaler.status));
    },
    { timeoutMs: 200_000, everyMs: 1_000 },
  );
}

/** What it reads, in ms; -1 while it reads nothing. The adapter may answer in thousandths: `1500m`. */
function p95Of({ status }: Autoscaler): number {
  const value = status?.currentMetrics?.[0]?.pods?.current.averageValue;
  if (value === undefined) return -1;
  return value.endsWith('m') ? Number(value.slice(0, -1)) / 1000 : Number(value);
}

async function countReadyPods(revision: string): Promise<number> {
  const pods = await listPods(stack.bed, namespace, `${labels.revision}=${revision}`);
  return pods.filter(({ ready }) => ready).length;
}

async function waitForReadyPods(revision: string, is: (count: number) => boolean): Promise<void> {
  await waitFor(`ready pods of ${revision}`, async () => is(await countReadyPods(revision)), {
    timeoutMs: 60_000,
    everyMs: 500,
  });
}

async function largestShareOf(name: { namespace: string; name: string }, revision: string): Promise<number> {
  const gateways = Object.values(await weightsAtGateways(stack.bed, name));
  return Math.max(...gateways.map((weights) => weights[revision] ?? 0));
}

function secondsSince(startedMs: number): string {
  return ((performance.now() - startedMs) / 1000).toFixed(0);
}
