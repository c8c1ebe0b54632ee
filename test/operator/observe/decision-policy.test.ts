import { describe, expect, test } from 'vitest';
import { ApiError } from '../../../operator/controller/errors.ts';
import { observeDecisionPolicy } from '../../../operator/observe/decision-policy.ts';
import { FakeCluster } from '../../support/fake-cluster.ts';
import { atFirstPause } from '../../support/scene.ts';

const NAME = 'the-policy';
const { decisions: waiting } = atFirstPause().decides('Pause');
const answered = atFirstPause().decides('Pause').rests().decisions;

function clusterWith(times: Readonly<Record<string, string>>): FakeCluster {
  const cluster = new FakeCluster();
  for (const [kind, creationTimestamp] of Object.entries(times)) {
    cluster.put({
      apiVersion: 'admissionregistration.k8s.io/v1',
      ...{ kind, metadata: { name: NAME, creationTimestamp } },
    });
  }
  return cluster;
}

const both = {
  ValidatingAdmissionPolicy: '2026-01-01T00:00:00Z',
  ValidatingAdmissionPolicyBinding: '2026-02-01T00:00:00Z',
};

describe('the policy of decisions', () => {
  test('holds since the later of policy and binding', async () => {
    await expect(observeDecisionPolicy(clusterWith(both), NAME, waiting)).resolves.toEqual({
      decisionPolicySince: '2026-02-01T00:00:00Z',
    });
  });

  test.each(Object.keys(both))('holds not without its %s', async (missing) => {
    const cluster = clusterWith(
      Object.fromEntries(Object.entries(both).filter(([kind]) => kind !== missing)),
    );
    await expect(observeDecisionPolicy(cluster, NAME, waiting)).resolves.toEqual({});
  });

  test('is not asked for while no decision waits, or where none is configured', async () => {
    const cluster = clusterWith(both);
    await observeDecisionPolicy(cluster, NAME, answered);
    await observeDecisionPolicy(cluster, undefined, waiting);
    expect(cluster.asked).toEqual([]);
  });

  test('is not known to whoever may not look, and an outage is no answer', async () => {
    const cluster = clusterWith(both);
    cluster.failWith(new ApiError(403, 'Forbidden', 'no'));
    await expect(observeDecisionPolicy(cluster, NAME, waiting)).resolves.toEqual({});
    cluster.failWith(new ApiError(500, 'InternalError', 'away'));
    await expect(observeDecisionPolicy(cluster, NAME, waiting)).rejects.toThrow('away');
  });
});
