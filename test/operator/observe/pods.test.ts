import { describe, expect, it } from 'vitest';
import type { ContainerStatus } from '../../../operator/observe/containers.ts';
import { observePod, type Pod } from '../../../operator/observe/pods.ts';

const REVISION = 'fraud-abcd234567';

function podWith(status: NonNullable<Pod['status']>, metadata: Partial<Pod['metadata']> = {}): Pod {
  return {
    ...{ apiVersion: 'v1', kind: 'Pod', status },
    metadata: { name: 'pod-a', namespace: 'ml', labels: { 'headgate.dev/revision': REVISION }, ...metadata },
  };
}

function podWithContainer(container: Partial<ContainerStatus>): Pod {
  return podWith({ containerStatuses: [{ name: 'runtime', restartCount: 0, ...container }] });
}

const terminated = { reason: 'Error', exitCode: 1, message: '', finishedAt: '2026-01-01T00:00:00Z' };

describe('a pod as the plan sees it', () => {
  it('is none of ours without a revision', () => {
    expect(observePod(podWith({}, { labels: {} }))).toBeUndefined();
  });

  it('is not ready and has not crashed as long as nothing is known of it', () => {
    expect(observePod(podWith({}))).toEqual({
      ...{ name: 'pod-a', revision: REVISION, ready: false, terminating: false, crashes: 0 },
    });
  });

  it.each<[string, string, string | undefined, boolean]>([
    ['ready', 'True', undefined, true],
    ['not ready', 'False', undefined, false],
    ['of unknown state', 'Unknown', undefined, false],
    ['ready but being deleted', 'True', '2026-01-01T00:00:00Z', false],
  ])('counts as ready or not when it is %s', (_, status, deletionTimestamp, ready) => {
    const metadata = deletionTimestamp === undefined ? {} : { deletionTimestamp };
    const pod = podWith({ conditions: [{ type: 'Ready', status }] }, metadata);
    expect(observePod(pod)).toMatchObject({ ready, terminating: deletionTimestamp !== undefined });
  });

  it.each<[string, Partial<ContainerStatus>, number]>([
    ['running for the first time', { state: { running: {} } }, 0],
    ['down for the first time', { state: { terminated } }, 1],
    ['running again', { restartCount: 1, state: { running: {} }, lastState: { terminated } }, 1],
    [
      'waiting after its second end',
      { restartCount: 1, state: { waiting: { reason: 'CrashLoopBackOff' } } },
      2,
    ],
    ['being made anew', { restartCount: 1, state: { waiting: { reason: 'ContainerCreating' } } }, 1],
  ])('counts each end of its runtime once while it is %s', (_, container, crashes) => {
    expect(observePod(podWithContainer(container))).toMatchObject({ crashes });
  });

  it('does not count the end that its deletion brings', () => {
    const status = { containerStatuses: [{ name: 'runtime', restartCount: 0, state: { terminated } }] };
    expect(observePod(podWith(status, { deletionTimestamp: '2026-01-01T00:00:00Z' }))).toMatchObject({
      crashes: 0,
    });
  });

  it('does not count the restarts of a sidecar', () => {
    const status = { containerStatuses: [{ name: 'istio-proxy', restartCount: 9, state: { terminated } }] };
    expect(observePod(podWith(status))).toMatchObject({ crashes: 0 });
  });

  it.each<[string, string, { reason: string; message: string }]>([
    [
      'its own words',
      '{"reason":"ModelNotFound","message":"no such file"}',
      { reason: 'ModelNotFound', message: 'no such file' },
    ],
    ['plain text', 'Segmentation fault\n', { reason: 'Error', message: 'Segmentation fault' }],
    ['nothing', '', { reason: 'Error', message: 'it ended with exit code 1' }],
    ['half of its words', '{"reason":"Model', { reason: 'Error', message: '{"reason":"Model' }],
    [
      'a reason that is a sentence',
      '{"reason":"no such file","message":"x"}',
      { reason: 'Error', message: '{"reason":"no such file","message":"x"}' },
    ],
    [
      'words without a message',
      '{"reason":"ModelNotFound"}',
      { reason: 'Error', message: '{"reason":"ModelNotFound"}' },
    ],
    ['null', 'null', { reason: 'Error', message: 'null' }],
    [
      'a log whose last line is a warning',
      '{"level":"info","message":"listening"}\n{"level":"warn","message":"memory is short","port":1}\n',
      { reason: 'Error', message: 'memory is short' },
    ],
    [
      'a log of nothing but success',
      '{"level":"info","message":"listening"}\n{"level":"info","message":"the model is loaded and warm"}',
      { reason: 'Error', message: 'it ended with exit code 1' },
    ],
    [
      'a log, and then a word of native code',
      '{"level":"info","message":"listening"}\nterminate called recursively\n',
      { reason: 'Error', message: 'terminate called recursively' },
    ],
    [
      'records of what users asked',
      'free(): invalid pointer\n{"type":"decision","inputs":[{"data":[42]}]}\n{"type":"feedback","user":"u-7"}',
      { reason: 'Error', message: 'free(): invalid pointer' },
    ],
  ])('tells how the runtime ended when it left %s', (_, message, words) => {
    const pod = podWithContainer({ state: { terminated: { ...terminated, message } } });
    expect(observePod(pod)?.lastTermination).toEqual({
      ...words,
      exitCode: 1,
      finishedAt: terminated.finishedAt,
    });
  });

  it('keeps of a long text its end, and never more than the status can hold', () => {
    const message = `${'x'.repeat(10_000)} the cause`;
    const pod = podWithContainer({ state: { terminated: { ...terminated, message } } });
    const kept = observePod(pod)?.lastTermination?.message ?? '';
    expect(kept).toMatch(/ the cause$/);
    expect(kept.length).toBeLessThanOrEqual(512);
  });

  it('says nothing of the time of an end that the kubelet has not seen', () => {
    const lost = { ...terminated, reason: 'ContainerStatusUnknown', finishedAt: null };
    const pod = podWithContainer({ state: { terminated: lost } });
    expect(observePod(pod)?.lastTermination).not.toHaveProperty('finishedAt');
  });

  it('says how it ended last while it runs again', () => {
    const pod = podWithContainer({ restartCount: 1, state: { running: {} }, lastState: { terminated } });
    expect(observePod(pod)?.lastTermination).toMatchObject({ exitCode: 1 });
  });

  it.each<[string, NonNullable<Pod['status']>, { reason: string; message: string } | undefined]>([
    [
      'no node fits',
      {
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' },
        ],
      },
      { reason: 'Unschedulable', message: '0/3 nodes' },
    ],
    [
      'its image cannot be pulled',
      {
        containerStatuses: [
          {
            name: 'runtime',
            restartCount: 0,
            state: { waiting: { reason: 'ImagePullBackOff', message: 'gone' } },
          },
        ],
      },
      { reason: 'ImagePullBackOff', message: 'gone' },
    ],
    [
      'it is on its way',
      {
        containerStatuses: [
          { name: 'runtime', restartCount: 0, state: { waiting: { reason: 'ContainerCreating' } } },
        ],
      },
      undefined,
    ],
  ])('names its obstacle when %s', (_, status, waiting) => {
    expect(observePod(podWith(status))?.waiting).toEqual(waiting);
  });
});
