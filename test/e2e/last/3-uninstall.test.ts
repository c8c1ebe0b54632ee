import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { labels } from '../../../operator/api/names.ts';
import { ensureProjectImage } from '../../bed/images.ts';
import { listPods } from '../../bed/pods.ts';
import { waitFor } from '../../bed/wait.ts';
import { startInferLoad } from '../support/infer-load.ts';
import { modelDeployment } from '../support/model-deployment.ts';
import { deleteDefinitions, leftovers, uninstallRelease } from '../support/release.ts';
import { describeCounts, describeFailures } from '../support/rollout-story.ts';
import { installRelease, restrictedNamespace, useStack } from '../support/stack.ts';
import { waitForPhase, type ObjectName } from '../support/status.ts';

const stack = useStack();

type Step = 'the release' | 'the definitions' | 'the namespace';

const remove: Readonly<Record<Step, (namespace: string) => Promise<unknown>>> = {
  'the release': () => uninstallRelease(stack.bed),
  'the definitions': () => deleteDefinitions(stack.bed),
  'the namespace': (namespace) => stack.bed.kubectl('delete', 'namespace', namespace, '--timeout=180s'),
};

const orders: readonly (readonly [Step, Step, Step])[] = [
  ['the release', 'the definitions', 'the namespace'],
  ['the definitions', 'the release', 'the namespace'],
  ['the namespace', 'the definitions', 'the release'],
];

async function install(): Promise<void> {
  await installRelease(stack.bed, await ensureProjectImage('operator'));
}

/** An operator, and a model that is Healthy, in a namespace of its own. */
async function serve(): Promise<ObjectName> {
  const namespace = `uninstall-${randomBytes(3).toString('hex')}`;
  const fraud = { namespace, name: 'fraud' };
  await install();
  await stack.bed.kubectl.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: restrictedNamespace(namespace) },
    modelDeployment({ ...fraud, modelUri: stack.modelUri('v1.onnx') }),
  ]);
  await waitForPhase(stack.bed, fraud, 'Healthy', 180_000);
  return fraud;
}

async function runningPods(namespace: string): Promise<readonly string[]> {
  const pods = await listPods(stack.bed, namespace, labels.revision);
  return pods.flatMap(({ name, containerIds }) => [name, ...Object.values(containerIds)]).sort();
}

// Whoever runs the tier on a bed that stays finds it as it was.
afterAll(install);

describe('with a model running', () => {
  test('nobody misses an operator that is uninstalled, nor a ModelDeployment that leaves its children', async () => {
    const fraud = await serve();
    const load = await startInferLoad(stack.bed, { name: fraud.name, requestsPerSecond: 50 });
    const goesOn = async (): Promise<void> => {
      const fromMs = Date.now();
      await waitFor('100 answers', async () => (await load.snapshot({ fromMs })).requests >= 100);
    };
    const pods = await runningPods(fraud.namespace);
    try {
      await uninstallRelease(stack.bed);
      await goesOn();
      const from = ['modeldeployment', fraud.name, '-n', fraud.namespace];
      await stack.bed.kubectl('delete', ...from, '--cascade=orphan');
      await goesOn();
      await install();
      await goesOn();
      expect(await describeFailures(load)).toEqual([]);
      expect(await runningPods(fraud.namespace)).toEqual(pods);
    } finally {
      console.log(`without operator: ${describeCounts(await load.stop())}`);
    }
    await remove['the namespace'](fraud.namespace);
  });

  test.each(orders)('%s, then %s, then %s can be removed, and nothing is left', async (...order) => {
    const { namespace } = await serve();
    for (const step of order) await remove[step](namespace);
    await waitFor(
      'nothing is left',
      async () => {
        const left = await leftovers(stack.bed, namespace);
        if (left.length > 0) throw new Error(left.join(', '));
        return true;
      },
      { timeoutMs: 120_000 },
    );
    expect(await stack.bed.kubectl('get', 'namespaces', '-o', 'name')).not.toContain(namespace);
  });
});
