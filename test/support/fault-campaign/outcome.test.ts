import { describe, expect, test } from 'vitest';
import { canonicalObject, differences, type Outcome, type Route } from './outcome.ts';

function users(...states: readonly string[]): readonly Route[] {
  return states.map((to) => ({ object: 'Service fraud', to }));
}

const expected: Outcome = {
  objects: new Map([
    ['Deployment fraud-v2', '{"a":1}'],
    ['Service fraud', '{"b":2}'],
  ]),
  deletions: ['deployments fraud-v1', 'services fraud-v1'],
  reasons: ['Promoted', 'Promoted', 'RolloutStarted'],
  routes: users('v1', 'v1 and v2', 'v2'),
};

describe('the ruler for the end of a rollout', () => {
  test.each<[string, Partial<Outcome>]>([
    ['the same', {}],
    ['deletions in another order', { deletions: expected.deletions.toReversed() }],
    ['an event that was recorded twice', { reasons: [...expected.reasons, 'RolloutStarted'] }],
    ['a state of the routes that was passed by unseen', { routes: users('v1', 'v2') }],
  ])('finds nothing wrong with %s', (_, actual) => {
    expect(differences(expected, { ...expected, ...actual })).toEqual([]);
  });

  test.each<[string, Partial<Outcome>, RegExp]>([
    [
      'an object that is missing',
      { objects: new Map([['Service fraud', '{"b":2}']]) },
      /^missing: Deployment fraud-v2$/,
    ],
    [
      'an object that is left over',
      { objects: new Map([...expected.objects, ['Deployment fraud-v1', '{}']]) },
      /^left over: Deployment fraud-v1$/,
    ],
    [
      'an object that differs',
      { objects: new Map([...expected.objects, ['Service fraud', '{"b":3}']]) },
      /^Service fraud differs: .*3.*2/,
    ],
    [
      'a deletion of something else',
      { deletions: [...expected.deletions, 'deployments fraud-v2'] },
      /^deleted once too often: deployments fraud-v2$/,
    ],
    [
      'a deletion that was carried out twice',
      { deletions: [...expected.deletions, 'services fraud-v1'] },
      /^deleted once too often: services fraud-v1$/,
    ],
    [
      'a deletion that was left out',
      { deletions: ['services fraud-v1'] },
      /^not deleted: deployments fraud-v1$/,
    ],
    ['an event of another kind', { reasons: [...expected.reasons, 'Aborted'] }, /^event Aborted too much$/],
    ['an event that was lost', { reasons: ['Promoted'] }, /^no event RolloutStarted$/],
    ['routes to somebody else', { routes: users('v1', 'v3', 'v2') }, /^Service fraud sent users otherwise/],
    ['routes that go back', { routes: users('v1', 'v1 and v2', 'v1', 'v2') }, /sent users otherwise/],
    ['routes that never arrive', { routes: users('v1', 'v1 and v2') }, /sent users otherwise/],
  ])('finds %s', (_, actual, sentence) => {
    const found = differences(expected, { ...expected, ...actual });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(sentence);
  });

  test('compares all that is ours of an object, and nothing that is another in each world', () => {
    const world = (namespace: string, uid: string, at: string): string => {
      const object = {
        ...{ apiVersion: 'v1', kind: 'Service' },
        metadata: {
          ...{ name: 'fraud', namespace, uid: `${uid.slice(0, -1)}0`, resourceVersion: at, generation: 4 },
          annotations: { 'headgate.dev/applied': namespace, 'headgate.dev/promoted-at': at },
          ownerReferences: [
            { apiVersion: 'headgate.dev/v1alpha1', kind: 'ModelDeployment', name: 'fraud', uid },
          ],
        },
        spec: { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], host: `fraud.${namespace}.svc` },
        status: { loadBalancer: {} },
      };
      return canonicalObject(object, { namespace, uid, routingHash: undefined });
    };
    const [one, other] = ['4c1d6f1e-0b56-4e3c-9d7f-1a2b3c4d5e61', '4c1d6f1e-0b56-4e3c-9d7f-1a2b3c4d5e62'];
    const first = world('world-1', one, '2026-01-01T00:00:00Z');
    expect(world('world-2', other, '2026-01-02T03:04:05.678Z')).toBe(first);
    expect(first).toContain('"host":"fraud.NAMESPACE.svc"');
    expect(first).toContain('"uid":"OWNER"');
  });
});
