import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { ensureProjectImage } from '../../bed/images.ts';
import { waitFor } from '../../bed/wait.ts';
import { modelDeployment } from '../support/model-deployment.ts';
import { deleteDefinitions, leftovers, uninstallRelease } from '../support/release.ts';
import { installRelease, restrictedNamespace, useStack } from '../support/stack.ts';
import { waitForPhase } from '../support/status.ts';

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

// Whoever runs the tier on a bed that stays finds it as it was.
afterAll(install);

describe('with a model running', () => {
  test.each(orders)('%s, then %s, then %s can be removed, and nothing is left', async (...order) => {
    const namespace = `uninstall-${randomBytes(3).toString('hex')}`;
    const fraud = { namespace, name: 'fraud' };
    await install();
    await stack.bed.kubectl.apply([
      { apiVersion: 'v1', kind: 'Namespace', metadata: restrictedNamespace(namespace) },
      modelDeployment({ ...fraud, modelUri: stack.modelUri('v1.onnx') }),
    ]);
    await waitForPhase(stack.bed, fraud, 'Healthy', 180_000);
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
