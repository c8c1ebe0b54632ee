import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labels } from '../../operator/api/names.ts';
import { isWithinBinomial, type Load } from '../bed/load.ts';
import { gatewayPods } from '../bed/pods.ts';
import { get } from '../bed/probe.ts';
import { waitFor } from '../bed/wait.ts';
import { failuresOf } from './support/failures.ts';
import { startInferLoad } from './support/infer-load.ts';
import { canarySteps, modelDeployment } from './support/model-deployment.ts';
import { useNamespace } from './support/namespace.ts';
import { useStack } from './support/stack.ts';
import { waitForPhase, waitForStatus } from './support/status.ts';

const stack = useStack();
const namespace = useNamespace(stack, 'two');
/** One host for both; the beginning of one prefix is the other one, which must not catch its requests. */
const host = `models.${namespace}.example.com`;
const prefixes = { fraud: '/fraud', fraudulent: '/fraudulent' } as const;
type Name = keyof typeof prefixes;
const names: readonly Name[] = ['fraud', 'fraudulent'];
const requestsPerSecond = 60;

const loads = new Map<Name, Load>();
const firstRevisions = new Map<Name, string>();

beforeAll(async () => {
  await stack.bed.kubectl.apply(names.map((name) => manifest(name, 'v1.onnx')));
  for (const name of names) {
    const { stable = '' } = await waitForPhase(stack.bed, { namespace, name }, 'Healthy');
    firstRevisions.set(name, stable);
    loads.set(
      name,
      await startInferLoad(stack.bed, { name, host, pathPrefix: prefixes[name], requestsPerSecond }),
    );
  }
});

afterAll(async () => {
  await Promise.all([...loads.values()].map((load) => load.stop()));
});

describe('two ModelDeployments on one host', () => {
  it('roll at the same time, each in its own steps, without a failed request and without a stray answer', async () => {
    await stack.bed.kubectl.apply(names.map((name) => manifest(name, 'v2.onnx')));
    const secondRevisions = await Promise.all(names.map(rolledOut));
    // The users go on until the last pod of the first versions has ended.
    await Promise.all(names.map((name) => allGone(`${labels.revision}=${firstRevisions.get(name) ?? ''}`)));
    for (const [index, name] of names.entries()) {
      const counts = await loadOf(name).snapshot();
      expect(await failuresOf(loadOf(name))).toEqual([]);
      // An answer of the other one's revisions would have another key here.
      expect(Object.keys(counts.byRevision).sort()).toEqual(
        [firstRevisions.get(name) ?? '', secondRevisions[index] ?? ''].sort(),
      );
    }
  });

  it('keep their own shares while both stand at a step', async () => {
    await stack.bed.kubectl.apply(names.map((name) => manifest(name, 'v1.onnx', '30s')));
    const candidates = await Promise.all(
      names.map(async (name) => {
        const { candidate = '' } = await waitForStatus(
          stack.bed,
          { namespace, name },
          {
            what: 'stands at 25 %',
            is: ({ phase, weight }) => phase === 'Paused' && weight === '25%',
          },
        );
        return candidate;
      }),
    );
    const fromMs = Date.now();
    for (const [index, name] of names.entries()) {
      const counts = await waitFor('500 answers', async () => {
        const now = await loadOf(name).snapshot({ fromMs });
        return now.requests >= 500 ? now : undefined;
      });
      const count = counts.byRevision[candidates[index] ?? ''] ?? 0;
      expect(isWithinBinomial({ count, total: counts.requests, share: 0.25 })).toBe(true);
      expect(await failuresOf(loadOf(name), { fromMs })).toEqual([]);
    }
  });

  it('do not notice when one of them is deleted in the middle of its rollout', async () => {
    const fromMs = Date.now();
    await stack.bed.kubectl('delete', 'modeldeployment', 'fraud', '-n', namespace, '--wait=true');
    await loads.get('fraud')?.stop();
    loads.delete('fraud');
    await allGone(`${labels.modelDeployment}=fraud`, childKinds);
    for (const { address } of await gatewayPods(stack.bed)) {
      await waitFor('the gateway no longer knows the deleted one', async () => {
        return (await get(address, 8080, '/fraud/v2/health/ready', host)).status === 404;
      });
    }
    const counts = await loadOf('fraudulent').snapshot({ fromMs });
    expect(counts.requests).toBeGreaterThan(requestsPerSecond);
    expect(await failuresOf(loadOf('fraudulent'), { fromMs })).toEqual([]);
  });

  it('leave each other their rollouts: the one that stays is promoted', async () => {
    const fromMs = Date.now();
    expect(await rolledOut('fraudulent')).toBe(firstRevisions.get('fraudulent'));
    expect(await failuresOf(loadOf('fraudulent'), { fromMs })).toEqual([]);
  });
});

const childKinds = [
  ...['pods', 'deployments', 'replicasets', 'services', 'horizontalpodautoscalers', 'poddisruptionbudgets'],
  ...['controllerrevisions', 'destinationrules.networking.istio.io', 'virtualservices.networking.istio.io'],
].join(',');

function manifest(name: Name, file: string, pauseFor = '3s'): object {
  return modelDeployment({
    ...{ namespace, name, modelUri: stack.modelUri(file), hosts: [host], pathPrefix: prefixes[name] },
    steps: canarySteps([25, 100], pauseFor),
  });
}

async function allGone(selector: string, kinds = 'pods'): Promise<void> {
  await waitFor(
    `nothing of ${selector} is left`,
    async () => {
      const rest = await stack.bed.kubectl('get', kinds, '-n', namespace, '-l', selector, '-o', 'name');
      if (rest.trim() === '') return true;
      throw new Error(rest.trim().split('\n').join(' '));
    },
    { timeoutMs: 90_000, everyMs: 500 },
  );
}

/** The revision that a rollout has ended with. */
async function rolledOut(name: Name): Promise<string> {
  const before = await waitForStatus(
    stack.bed,
    { namespace, name },
    {
      what: 'has taken up the new spec',
      is: ({ candidate, phase }) => candidate !== undefined || phase === 'Healthy',
    },
  );
  const candidate = before.candidate ?? before.stable;
  const { stable = '' } = await waitForStatus(
    stack.bed,
    { namespace, name },
    {
      what: 'is Healthy with its new version',
      is: (status) => status.phase === 'Healthy' && status.stable === candidate,
      timeoutMs: 120_000,
    },
  );
  return stable;
}

function loadOf(name: Name): Load {
  const load = loads.get(name);
  if (load === undefined) throw new Error(`${name} has no load`);
  return load;
}
