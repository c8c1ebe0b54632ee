import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labels } from '../../../operator/api/names.ts';
import { earlierRelease, type EarlierRelease } from '../../bed/earlier-release.ts';
import { ensureProjectImage } from '../../bed/images.ts';
import type { Load } from '../../bed/load.ts';
import { waitFor } from '../../bed/wait.ts';
import { failuresOf } from '../support/failures.ts';
import { startInferLoad } from '../support/infer-load.ts';
import { canarySteps, modelDeployment, type ModelDeploymentOptions } from '../support/model-deployment.ts';
import { useNamespace } from '../support/namespace.ts';
import { uninstallRelease } from '../support/release.ts';
import { describeCounts } from '../support/rollout-story.ts';
import { installRelease, useStack } from '../support/stack.ts';
import { waitForPhase } from '../support/status.ts';

const stack = useStack();
const namespace = useNamespace(stack, 'upgrade');
const fraud = { namespace, name: 'fraud' };

let earlier: EarlierRelease;
let load: Load;

interface PodLife {
  readonly uid: string;
  readonly restarts: number;
}

async function modelPods(): Promise<readonly PodLife[]> {
  const selector = `${labels.modelDeployment}=${fraud.name}`;
  const { items } = (await stack.bed.kubectl.json('get', 'pods', '-n', namespace, '-l', selector)) as {
    readonly items: readonly {
      readonly metadata: { readonly uid: string };
      readonly status: { readonly containerStatuses?: readonly { readonly restartCount: number }[] };
    }[];
  };
  return items
    .map(({ metadata, status }) => ({
      uid: metadata.uid,
      restarts: (status.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0),
    }))
    .sort((left, right) => left.uid.localeCompare(right.uid));
}

function manifest(more: Partial<ModelDeploymentOptions> = {}): object {
  const scaling = { minReplicas: 2, maxReplicas: 3, targetP95: '2s' };
  return modelDeployment({ ...fraud, modelUri: stack.modelUri('v1.onnx'), scaling, ...more });
}

/** The release of the present tree over whatever is there. */
async function installPresent(): Promise<void> {
  await installRelease(stack.bed, await ensureProjectImage('operator'));
}

/** Settled when the operator that runs now has looked at the model and left it as it is. */
async function lookedAfter(maxReplicas: number): Promise<void> {
  await stack.bed.kubectl.apply([manifest({ scaling: { minReplicas: 2, maxReplicas, targetP95: '2s' } })]);
  await waitForPhase(stack.bed, fraud, 'Healthy');
}

beforeAll(async () => {
  earlier = await earlierRelease();
  console.log(`upgrade: from ${earlier.commit}`);
  await stack.bed.importImage(earlier.operatorImage);
  await uninstallRelease(stack.bed, { andDefinitions: true });
  await installRelease(stack.bed, earlier.operatorImage, earlier);
  await stack.bed.kubectl.apply([manifest()]);
  await waitForPhase(stack.bed, fraud, 'Healthy', 180_000);
  load = await startInferLoad(stack.bed, { name: fraud.name, requestsPerSecond: 50 });
});

afterAll(async () => {
  console.log(`upgrade: ${describeCounts(await load.stop())}`);
  await installPresent();
});

describe('an upgrade under load, from the chart and the operator of the commit before', () => {
  test('touches no pod and loses no request', async () => {
    const before = await modelPods();
    await installPresent();
    await lookedAfter(4);
    expect(await modelPods()).toEqual(before);
    expect(before.map(({ restarts }) => restarts)).toEqual([0, 0]);
    expect(await failuresOf(load)).toEqual([]);
  });

  test('leaves a model that the present operator can roll out, without a failed request', async () => {
    const scaling = { minReplicas: 2, maxReplicas: 4, targetP95: '2s' };
    const steps = canarySteps([50, 100], '3s');
    await stack.bed.kubectl.apply([manifest({ modelUri: stack.modelUri('v2.onnx'), scaling, steps })]);
    await waitForPhase(stack.bed, fraud, 'Healthy', 240_000);
    expect(await failuresOf(load)).toEqual([]);
  });

  test('can be followed by an uninstallation and another installation, which the models do not notice', async () => {
    await waitFor('the first version’s pods are gone', async () => (await modelPods()).length === 2, {
      timeoutMs: 180_000,
    });
    const before = await modelPods();
    await uninstallRelease(stack.bed);
    const { requests } = await load.snapshot();
    await waitFor('200 further requests', async () => (await load.snapshot()).requests > requests + 200);
    await installPresent();
    await waitForPhase(stack.bed, fraud, 'Healthy');
    expect(await modelPods()).toEqual(before);
    expect(await failuresOf(load)).toEqual([]);
  });
});
