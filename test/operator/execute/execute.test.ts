import { beforeEach, describe, expect, it } from 'vitest';
import type {
  HistoryEntry,
  ModelDeployment,
  ModelDeploymentStatus,
} from '../../../operator/api/model-deployment.ts';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { ApiError } from '../../../operator/controller/errors.ts';
import { execute, type ExecuteListeners } from '../../../operator/execute/execute.ts';
import { NameTakenError } from '../../../operator/kube/ownership.ts';
import type { Action } from '../../../operator/plan/action.ts';
import { FakeCluster } from '../../support/fake-cluster.ts';
import { modelDeploymentWith } from '../../support/model-deployment.ts';

let cluster: FakeCluster;

beforeEach(() => {
  cluster = new FakeCluster();
  cluster.put(modelDeploymentWith());
});

function current(): ModelDeployment {
  return cluster.cached('ModelDeployment', 'ml', 'fraud') as ModelDeployment;
}

const at = '2026-01-01T00:00:00Z';

function objectOf(kind: string): KubernetesObject {
  return { apiVersion: 'v1', kind, metadata: { name: 'child', namespace: 'ml' } };
}

function apply(kind: string): Action {
  return { kind: 'Apply', object: objectOf(kind) };
}

const remove: Action = {
  kind: 'Delete',
  reference: { apiVersion: 'v1', kind: 'Service', namespace: 'ml', name: 'child' },
};
const tell: Action = {
  kind: 'RecordEvent',
  event: { type: 'Normal', reason: 'Healthy', message: 'all is well' },
};
const healthy: ModelDeploymentStatus = { phase: 'Healthy', reason: 'Promoted', message: 'all is well' };

async function run(
  actions: readonly Action[],
  status: ModelDeploymentStatus = healthy,
  listeners: ExecuteListeners = {},
): Promise<void> {
  await execute(cluster, current(), { actions, status }, listeners);
}

describe('the execution of a plan', () => {
  it('carries out its actions in their order and writes the status last', async () => {
    await run([apply('Deployment'), apply('Service'), remove, tell]);
    expect(cluster.writes).toEqual([
      'apply Deployment child',
      'apply Service child',
      'remove Service child',
      'event fraud Healthy',
      'status ModelDeployment fraud',
    ]);
  });

  it.each([500, 404, 409])(
    'stops at the first failure (%i) and leaves the status as it was',
    async (status) => {
      cluster.failWrite('apply Service', new ApiError(status, 'Failed', 'no'));
      await expect(run([apply('Deployment'), apply('Service'), remove])).rejects.toThrow('no');
      expect(cluster.writes).toEqual(['apply Deployment child']);
    },
  );

  it('writes no status that is there already, be it in another order or with fields that are undefined', async () => {
    await run([]);
    const { phase, reason, message } = healthy;
    await run([], { message, reason, phase, step: undefined } as unknown as ModelDeploymentStatus);
    expect(cluster.writes).toEqual(['status ModelDeployment fraud']);
  });

  it('takes a latency alone for no news, and writes it beside some', async () => {
    await run([], { ...healthy, p95: '10ms' });
    await run([], { ...healthy, p95: '12ms' });
    expect(current().status?.p95).toBe('10ms');
    await run([], { ...healthy, p95: '14ms', ready: '1/2' });
    expect(current().status?.p95).toBe('14ms');
  });

  it('does not write over what somebody wrote in between', async () => {
    const seen = current();
    cluster.put({ ...seen, metadata: { ...seen.metadata, generation: 2 } });
    await expect(execute(cluster, seen, { actions: [], status: healthy })).rejects.toMatchObject({
      status: 409,
    });
    const overtaken = { ...apply('VirtualService'), expected: { uid: 'uid', resourceVersion: '1' } };
    await expect(run([overtaken])).rejects.toMatchObject({ status: 409 });
  });

  it('goes on without an event that cannot be recorded, and says so', async () => {
    cluster.failWrite('event', new Error('events are full'));
    const lost: string[] = [];
    await run([tell, apply('Service')], healthy, {
      onEventLost: ({ reason }, why) => lost.push(`${reason}: ${why}`),
    });
    expect(cluster.writes).toEqual(['apply Service child', 'status ModelDeployment fraud']);
    expect(lost).toEqual(['Healthy: events are full']);
  });

  it('tells of the end of a rollout once, after it is written', async () => {
    const ended: string[] = [];
    const listeners = {
      onRolloutEnded: ({ revision, outcome }: HistoryEntry) => ended.push(`${revision} ${outcome}`),
    };
    const first: HistoryEntry = { revision: 'fraud-a', outcome: 'Promoted', at: '2026-01-01T00:00:00Z' };
    const second: HistoryEntry = { revision: 'fraud-b', outcome: 'Aborted', at: '2026-01-02T00:00:00Z' };
    await run([], { ...healthy, history: [first] }, listeners);
    await run([], { ...healthy, history: [first] }, listeners);
    await run([], { ...healthy, history: [second, first] }, listeners);
    expect(ended).toEqual(['fraud-a Promoted', 'fraud-b Aborted']);
  });
});

describe('a name that somebody else has taken', () => {
  const conditions = [
    {
      type: 'Available',
      status: 'True' as const,
      reason: 'StableServes',
      message: 'x',
      lastTransitionTime: at,
    },
  ];

  beforeEach(() => {
    cluster.failWrite('apply Service', new NameTakenError(objectOf('Service')));
  });

  it('stops what would take something away, and nothing else', async () => {
    await expect(
      run([apply('Deployment'), apply('Service'), remove, tell, apply('HorizontalPodAutoscaler')]),
    ).rejects.toThrow(NameTakenError);
    expect(cluster.writes).toEqual([
      'apply Deployment child',
      'apply HorizontalPodAutoscaler child',
      'event fraud NameTaken',
      'status ModelDeployment fraud',
    ]);
  });

  it('is told with its remedy, once, beside all else that is so', async () => {
    const planned = { ...healthy, stable: 'fraud-a', conditions };
    await expect(run([apply('Service')], planned)).rejects.toThrow();
    const writes = cluster.writes.length;
    await expect(run([apply('Service')], planned)).rejects.toThrow();
    expect(cluster.writes).toHaveLength(writes);
    const { status } = current();
    expect(status).toMatchObject({ stable: 'fraud-a', phase: 'Degraded', reason: 'NameTaken' });
    expect(status?.message).toMatch(
      /^Service child exists already .*: delete or rename that Service, or give/,
    );
    expect(status?.conditions?.map(({ type, status: holds }) => `${type} ${holds}`)).toEqual([
      'Available True',
      'Paused False',
      'Ready False',
      'Reconciling False',
      'Stalled True',
    ]);
  });

  it('leaves the history as it is remembered: the name may be that of the record which tells how a rollout ended', async () => {
    const first: HistoryEntry = { revision: 'fraud-a', outcome: 'Promoted', at };
    await run([], { ...healthy, history: [first] });
    const next: HistoryEntry = { revision: 'fraud-b', outcome: 'Promoted', at: '2026-01-02T00:00:00Z' };
    await expect(run([apply('Service')], { ...healthy, history: [next, first] })).rejects.toThrow();
    expect(current().status?.history).toEqual([first]);
  });

  it('leaves routes as they are remembered until they are proven', async () => {
    const remembered = { hash: 'abcd234567', askedAt: at };
    await run([], { ...healthy, routing: remembered });
    const asked = { hash: 'other23456', askedAt: '2026-01-02T00:00:00Z' };
    await expect(run([apply('Service')], { ...healthy, routing: asked })).rejects.toThrow();
    expect(current().status?.routing).toEqual(remembered);
    const proven = { ...asked, provenAt: asked.askedAt };
    await expect(run([apply('Service')], { ...healthy, routing: proven })).rejects.toThrow();
    expect(current().status?.routing).toEqual(proven);
  });
});

describe('a namespace that is being deleted', () => {
  const ending = new ApiError(403, 'Forbidden', 'it is being terminated', {
    causes: ['NamespaceTerminating'],
  });

  it.each(['apply Service', 'event fraud'])(
    'ends the pass at %s without a word to anybody',
    async (write) => {
      const lost: string[] = [];
      cluster.failWrite(write, ending);
      await expect(
        run([apply('Service'), tell], healthy, { onEventLost: ({ reason }) => lost.push(reason) }),
      ).rejects.toBe(ending);
      expect(lost).toEqual([]);
      expect(current().status).toBeUndefined();
    },
  );
});

describe('a write that the API server refuses for good', () => {
  const refusals: readonly [number, string][] = [
    [422, 'Invalid'],
    [403, 'Forbidden'],
    [400, 'BadRequest'],
  ];

  it('is told of an apply with a field that there is not, though the API server calls that its own fault', async () => {
    const words =
      'failed to create typed patch object (ml/child; apps/v1, Kind=Deployment): .spec.x: not declared';
    cluster.failWrite('apply Deployment', new ApiError(500, 'Unknown', words));
    await expect(run([apply('Deployment')])).rejects.toThrow(words);
    expect(current().status?.reason).toBe('WriteRefused');
  });

  it.each(refusals)('is told in status and by an event, once (%i)', async (status, reason) => {
    cluster.failWrite('apply Deployment', new ApiError(status, reason, 'spec.x: not so'));
    const message = 'The API server refuses Deployment child: spec.x: not so';
    await expect(run([apply('Deployment')])).rejects.toThrow('not so');
    await expect(run([apply('Deployment')])).rejects.toThrow('not so');
    expect(current().status).toMatchObject({ phase: 'Degraded', reason: 'WriteRefused', message });
    expect(cluster.events).toEqual([{ type: 'Warning', reason: 'WriteRefused', message }]);
    expect(cluster.writes).toEqual(['event fraud WriteRefused', 'status ModelDeployment fraud']);
  });

  it('leaves in the status what the operator has to remember', async () => {
    const routing = { hash: 'abcd234567', askedAt: '2026-01-01T00:00:00Z' };
    await run([], { ...healthy, routing, stable: 'fraud-a' });
    cluster.failWrite('apply', new ApiError(422, 'Invalid', 'no'));
    await expect(
      run([apply('Service')], { ...healthy, routing: { ...routing, hash: 'other' } }),
    ).rejects.toThrow();
    expect(current().status).toMatchObject({ routing, stable: 'fraud-a', reason: 'WriteRefused' });
  });

  it('makes Ready False and Stalled True, and leaves the other conditions as planned', async () => {
    const claim = { type: 'Available', status: 'True', reason: 'StableServes', message: 'x' } as const;
    const conditions = [{ ...claim, lastTransitionTime: '2026-01-01T00:00:00Z' }];
    cluster.failWrite('apply', new ApiError(403, 'Forbidden', 'exceeded quota'));
    await expect(run([apply('Service')], { ...healthy, conditions })).rejects.toThrow();
    expect(current().status?.conditions?.map(({ type, status }) => `${type} ${status}`)).toEqual([
      'Available True',
      'Paused False',
      'Ready False',
      'Reconciling False',
      'Stalled True',
    ]);
  });

  it('is over as soon as it is not refused any more', async () => {
    cluster.failWrite('apply', new ApiError(422, 'Invalid', 'no'));
    await expect(run([apply('Service')])).rejects.toThrow();
    await run([]);
    expect(current().status).toMatchObject({ phase: 'Healthy', reason: 'Promoted' });
  });
});
