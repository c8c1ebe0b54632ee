import { describe, expect, test } from 'vitest';
import { declaredGrants, grants, resourceOf } from '../../../operator/kube/grants.ts';
import { cachedKinds } from '../../../operator/kube/kinds.ts';

const MOST_GRANTS = 60;
/** Further grants, each with the reason why it is worth more than the bound. */
const WAIVERS: Readonly<Record<string, string>> = {};

const FORBIDDEN_RESOURCES = [
  'secrets',
  'nodes',
  'roles',
  'rolebindings',
  'clusterroles',
  'clusterrolebindings',
];
const FORBIDDEN_SUBRESOURCES = [
  'exec',
  'attach',
  'portforward',
  'proxy',
  'ephemeralcontainers',
  'eviction',
  'token',
];

describe('the declared rights', () => {
  test('are at most 60, but for those with a waiver', () => {
    const declared = declaredGrants();
    expect(Object.keys(WAIVERS).filter((grant) => !declared.has(grant))).toEqual([]);
    expect(declared.size - Object.keys(WAIVERS).length).toBeLessThanOrEqual(MOST_GRANTS);
  });

  test('name each resource once in a scope, with a reason of one line', () => {
    const places = grants.map((entry) => JSON.stringify([entry.scope, entry.nameFrom, resourceOf(entry)]));
    expect(new Set(places).size).toBe(places.length);
    expect(grants.filter(({ why }) => !/^[A-Z].{5,90}\.$/.test(why))).toEqual([]);
  });

  test('reach into the release’s own namespace for its Lease alone', () => {
    const own = grants.filter(({ scope }) => scope === 'Release');
    expect(new Set(own.map(({ kind }) => kind))).toEqual(new Set(['Lease']));
    // A right to create cannot be bound to a name.
    for (const { nameFrom, verbs } of own)
      expect(nameFrom).toBe(verbs.includes('create') ? undefined : 'headgate.fullname');
  });

  test('know no Secret, no node, no right to grant rights, and no way into a pod', () => {
    const resources = grants.map(resourceOf);
    expect(resources.filter(({ resource }) => FORBIDDEN_RESOURCES.includes(resource))).toEqual([]);
    expect(resources.filter(({ subresource = '' }) => FORBIDDEN_SUBRESOURCES.includes(subresource))).toEqual(
      [],
    );
    const words = resources.flatMap(({ group, resource, subresource = '' }) => [
      group,
      resource,
      subresource,
    ]);
    expect(words.filter((word) => word.includes('*'))).toEqual([]);
  });

  test('cover the list and the watch of every kind that is kept in memory', () => {
    const followed = grants.filter(
      ({ scope, verbs }) => scope === 'Models' && verbs.includes('list') && verbs.includes('watch'),
    );
    expect(followed.map(({ kind }) => kind).sort()).toEqual([...cachedKinds].sort());
  });
});
