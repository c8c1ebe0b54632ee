import { afterAll, beforeAll, describe, it } from 'vitest';
import { labels } from '../../operator/api/names.ts';
import type { Failure } from '../../operator/plan/evidence.ts';
import type { Load } from '../bed/load.ts';
import { listPods, type PodSummary } from '../bed/pods.ts';
import { waitFor } from '../bed/wait.ts';
import { countAtGateways } from './support/blame.ts';
import { failuresOf } from './support/failures.ts';
import { startInferLoad } from './support/infer-load.ts';
import { canarySteps, modelDeployment, type ModelDeploymentOptions } from './support/model-deployment.ts';
import { useNamespace } from './support/namespace.ts';
import { ShareWatch } from './support/share-watch.ts';
import { useStack } from './support/stack.ts';
import { waitForPhase, waitForStatus } from './support/status.ts';

const stack = useStack();
const namespace = useNamespace(stack, 'bad');
const requestsPerSecond = 25;
/** Of a model whose candidate no user gets to see: seven of them share one small machine. */
const fewRequestsPerSecond = 8;
/** From the first sign of it to nothing at any proxy. */
const LONGEST_WAY_BACK_MS = 10_000;

interface BadCandidate {
  readonly what: string;
  readonly name: string;
  readonly reason: Failure['reason'];
  readonly message?: RegExp;
  readonly change: () => Partial<ModelDeploymentOptions>;
  /** Whether users get to see it at all: one that never becomes ready must never get a request. */
  readonly getsTraffic: boolean;
}

const badCandidates: readonly BadCandidate[] = [
  {
    what: 'answers with errors',
    name: 'errors',
    reason: 'ErrorRateTooHigh',
    change: () => ({ modelUri: stack.modelUri('errors-on-real-data.onnx') }),
    getsTraffic: true,
  },
  {
    what: 'becomes ready and crashes every 15 s',
    name: 'late-crash',
    reason: 'CrashLoop',
    change: () => ({ modelUri: stack.modelUri('v2.onnx'), podTemplate: preloading(end15SecondsAfterReady) }),
    getsTraffic: true,
  },
  {
    what: 'crashes before it is ready',
    name: 'early-crash',
    reason: 'CrashLoop',
    change: () => ({ modelUri: stack.modelUri('v2.onnx'), podTemplate: preloading(endAtOnce) }),
    getsTraffic: false,
  },
  {
    what: 'has a model that cannot be loaded',
    name: 'broken',
    reason: 'ModelInvalid',
    change: () => ({ modelUri: stack.modelUri('broken.onnx') }),
    getsTraffic: false,
  },
  {
    what: 'has a model with another digest than the one asked for',
    name: 'digest',
    reason: 'ModelDigestMismatch',
    change: () => ({ modelUri: stack.modelUri('v2.onnx'), sha256: 'f'.repeat(64) }),
    getsTraffic: false,
  },
  {
    what: 'has no model where it should be',
    name: 'missing',
    reason: 'ModelNotFound',
    change: () => ({ modelUri: stack.modelUri('not-there.onnx') }),
    getsTraffic: false,
  },
  {
    what: 'is for an architecture that no node has',
    name: 'architecture',
    reason: 'ProgressDeadlineExceeded',
    message: /Unschedulable: .*didn't match Pod's node affinity\/selector/,
    change: () => ({
      ...{ modelUri: stack.modelUri('v2.onnx'), abortOn: { progressDeadline: '15s' } },
      podTemplate: { spec: { nodeSelector: { 'kubernetes.io/arch': 'riscv64' } } },
    }),
    getsTraffic: false,
  },
];

interface Served {
  readonly stable: string;
  readonly pods: readonly PodSummary[];
  readonly load: Load;
}

const served = new Map<string, Served>();

beforeAll(async () => {
  await stack.bed.kubectl.apply(badCandidates.map(({ name }) => manifest(name, {})));
  await Promise.all(
    badCandidates.map(async ({ name, getsTraffic }) => {
      const { stable = '' } = await waitForPhase(stack.bed, { namespace, name }, 'Healthy', 120_000);
      const pods = await listPods(stack.bed, namespace, `${labels.revision}=${stable}`);
      const rate = getsTraffic ? requestsPerSecond : fewRequestsPerSecond;
      const load = await startInferLoad(stack.bed, { name, host: hostOf(name), requestsPerSecond: rate });
      served.set(name, { stable, pods, load });
    }),
  );
});

afterAll(async () => {
  await Promise.all([...served.values()].map(({ load }) => load.stop()));
});

describe('a candidate that', () => {
  it.concurrent.for(badCandidates)('$what goes back to 0 % by itself', async (bad, { expect }) => {
    const { bed } = stack;
    const name = { namespace, name: bad.name };
    const { stable, pods, load } = servedAs(bad.name);
    const appliedMs = Date.now();
    await bed.kubectl.apply([manifest(bad.name, bad.change())]);
    const { candidate = '' } = await waitForStatus(bed, name, {
      what: 'tries the bad candidate',
      is: (status) => status.candidate !== undefined,
    });
    const shares = new ShareWatch(bed, name, candidate);
    try {
      const status = await waitForPhase(bed, name, 'Aborted', 120_000);
      expect(status.reason).toBe(bad.reason);
      expect(status.message).toMatch(bad.message ?? '');
      expect(status.stable).toBe(stable);
      await waitFor('no gateway sends it anything', () => shares.isGoneSinceMs(1_500), { timeoutMs: 20_000 });
    } finally {
      await shares.stop();
    }

    // What a person sees without any other tool.
    expect(await bed.kubectl('get', 'modeldeployment', bad.name, '-n', namespace)).toMatch(
      new RegExp(`Aborted +${bad.reason} `),
    );
    expect(await warnings(bad.name)).toContainEqual({
      reason: bad.reason,
      message: expect.stringContaining(candidate) as string,
    });

    // The stable is the same processes as before, and no request that it was given has failed.
    const podsNow = await listPods(bed, namespace, `${labels.revision}=${stable}`);
    expect(podsNow.map(identityOf)).toEqual(expect.arrayContaining(pods.map(identityOf)));
    expect(podsNow.map(({ restarts }) => restarts)).toEqual(podsNow.map(() => 0));
    const blame = await countAtGateways(bed, name, stable);
    expect(blame.requests).toBeGreaterThan(requestsPerSecond);
    expect(blame.failures).toBe(0);

    const failures = await load.failures();
    expect(failures.filter(({ revision }) => revision === stable)).toEqual([]);
    if (!bad.getsTraffic) {
      expect(shares.wasEverRaised).toBe(false);
      expect(await failuresOf(load)).toEqual([]);
      return;
    }
    const answered = (await load.records()).filter(({ revision }) => revision === candidate);
    expect(answered).not.toEqual([]);
    const goneAtMs = shares.goneAtMs(Math.max(...answered.map(({ atMs, latencyMs }) => atMs + latencyMs)));
    const firstEvidenceMs = Math.min(...failures.map(({ atMs }) => atMs));
    console.log(
      `${bad.name}: first evidence to 0 % ${((goneAtMs - firstEvidenceMs) / 1000).toFixed(1)} s, ${failures.length} failed`,
    );
    expect(firstEvidenceMs).toBeGreaterThan(appliedMs);
    expect(goneAtMs - firstEvidenceMs).toBeLessThanOrEqual(LONGEST_WAY_BACK_MS);
    expect(await failuresOf(load, { fromMs: goneAtMs })).toEqual([]);
  });

  it('has failed leaves no pods behind', async ({ expect }) => {
    for (const { name } of badCandidates) {
      const selector = `${labels.modelDeployment}=${name},${labels.revision}!=${servedAs(name).stable}`;
      const rest = await waitFor(
        `the pods of the bad candidate of ${name} are gone`,
        async () => {
          const pods = await listPods(stack.bed, namespace, selector);
          return pods.length === 0 ? pods : undefined;
        },
        { timeoutMs: 60_000, everyMs: 500 },
      );
      expect(rest).toEqual([]);
    }
  });

  it('has failed is not tried again, and its users get answers from the stable alone', async ({ expect }) => {
    const fromMs = Date.now();
    for (const { name } of badCandidates) {
      const { load, stable } = servedAs(name);
      const counts = await waitFor('100 answers', async () => {
        const now = await load.snapshot({ fromMs });
        return now.requests >= 100 ? now : undefined;
      });
      expect(await failuresOf(load, { fromMs })).toEqual([]);
      expect(counts.byRevision).toEqual({ [stable]: counts.requests });
    }
  });
});

function manifest(name: string, change: Partial<ModelDeploymentOptions>): object {
  return modelDeployment({
    ...{ namespace, name, modelUri: stack.modelUri('v1.onnx'), hosts: [hostOf(name)] },
    // Seven models share one small machine: none of them may grow.
    scaling: { minReplicas: 1, maxReplicas: 1 },
    steps: canarySteps([20, 100], '60s'),
    ...change,
  });
}

/** Nobody else's, not even that of an earlier run whose namespace is still on its way out. */
function hostOf(name: string): string {
  return `${name}.${namespace}.example.com`;
}

/** The runtime in a process that runs a line of a program first. */
function preloading(program: string): object {
  return { spec: { env: [{ name: 'NODE_OPTIONS', value: `--import=data:text/javascript,${program}` }] } };
}

const endAtOnce = 'process.exit(1)';
/** Counted from its readiness: on a slow machine the start alone may take that long. */
const end15SecondsAfterReady =
  "setInterval(()=>fetch('http://127.0.0.1:8082/readyz').then(({ok})=>ok&&setTimeout(process.exit,15000,1),()=>0),1000)";

function servedAs(name: string): Served {
  const found = served.get(name);
  if (found === undefined) throw new Error(`${name} was never served`);
  return found;
}

/** A pod and its containers: the same ones only if nothing was started anew. */
function identityOf({ name, containerIds }: PodSummary): object {
  return { name, containerIds };
}

async function warnings(name: string): Promise<{ readonly reason: string; readonly message: string }[]> {
  const selector = `involvedObject.kind=ModelDeployment,involvedObject.name=${name},type=Warning`;
  const found = (await stack.bed.kubectl.json(
    ...['get', 'events', '-n', namespace, '--field-selector', selector],
  )) as { readonly items: readonly { readonly reason: string; readonly message: string }[] };
  return found.items.map(({ reason, message }) => ({ reason, message }));
}
