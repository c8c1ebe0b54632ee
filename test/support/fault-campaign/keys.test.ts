import { describe, expect, test } from 'vitest';
import { joinKeys, sampleOf, wholeCampaign } from './cases.ts';
import { faults } from './faults.ts';
import { Keys, placeOf } from './keys.ts';

const deployments = '/apis/apps/v1/namespaces/ml/deployments';

describe('the names of writes and events', () => {
  test.each([
    [`${deployments}/fraud`, { namespace: 'ml', plural: 'deployments', name: 'fraud', subresource: '' }],
    [
      '/api/v1/namespaces/ml/pods/a/status',
      { namespace: 'ml', plural: 'pods', name: 'a', subresource: 'status' },
    ],
    ['/api/v1/namespaces/ml/events', { namespace: 'ml', plural: 'events', name: '', subresource: '' }],
    ['/api/v1/namespaces/ml', undefined],
  ])('reads %s', (path, place) => {
    expect(placeOf(path)).toEqual(place);
  });

  test('are the same for the same in another world, and others for what comes again', () => {
    const namesOf = (revisions: readonly string[]): readonly string[] => {
      const keys = new Keys();
      return revisions.map((revision) =>
        keys.ofWrite(
          'PATCH',
          { namespace: 'ml', plural: 'services', name: `fraud-${revision}`, subresource: '' },
          {
            metadata: {},
          },
        ),
      );
    };
    const expected = [
      'PATCH services fraud-v1 #1',
      'PATCH services fraud-v2 #1',
      'PATCH services fraud-v1 #2',
    ];
    expect(namesOf(['bcdfghjklm', 'npqrstvwxz', 'bcdfghjklm'])).toEqual(expected);
    expect(namesOf(['zzzzzzzzzz', '2222222222', 'zzzzzzzzzz'])).toEqual(expected);
  });

  test('tell statuses apart by what they say', () => {
    const told = {
      metadata: { name: 'fraud' },
      status: { phase: 'Paused', reason: 'PausedForATime', step: '2/4' },
    };
    expect(new Keys().ofEvent('MODIFIED', 'modeldeployments', told)).toBe(
      'MODIFIED modeldeployments fraud Paused PausedForATime 2/4 #1',
    );
  });
});

describe('a campaign', () => {
  const runs = [
    [
      { name: 'a', atMs: 1 },
      { name: 'b', atMs: 3 },
    ],
    [
      { name: 'a', atMs: 2 },
      { name: 'c', atMs: 2 },
    ],
  ];
  const recording = {
    strategy: 'Canary' as const,
    writes: joinKeys(runs),
    events: joinKeys([runs[0] ?? []]),
  };

  test('has every write and every event that any recorded rollout had, in their order', () => {
    expect(recording.writes).toEqual([
      { name: 'a', atMs: 1, isSure: true },
      { name: 'c', atMs: 2, isSure: false },
      { name: 'b', atMs: 3, isSure: false },
    ]);
    expect(wholeCampaign(recording)).toHaveLength(3 * 7 + 2 * 4);
  });

  test('is sampled with each fault once, where every rollout comes', () => {
    const sample = sampleOf(recording, { dice: () => 0.99, crashAt: 0.5 });
    expect(sample.map(({ fault }) => fault).sort()).toEqual([...faults].sort());
    expect(new Set(sample.slice(0, 7).map(({ key }) => key))).toEqual(new Set(['a']));
  });
});
