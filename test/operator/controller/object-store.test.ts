import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { compareVersions, ObjectStore } from '../../../operator/controller/object-store.ts';

function thing(name: string, resourceVersion: number, owner = 'fraud', uid = name): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'ml', uid, resourceVersion: String(resourceVersion), labels: { owner } },
  };
}

function emptyStore(): ObjectStore {
  return new ObjectStore(({ metadata }) => metadata.labels?.['owner']);
}

describe('the object store', () => {
  it.each([
    ['9', '10', -1],
    ['10', '9', 1],
    ['123', '123', 0],
    ['99999999999999999998', '99999999999999999999', -1],
  ])('compares version %s with %s as numbers of any length', (left, right, sign) => {
    expect(Math.sign(compareVersions(left, right))).toBe(sign);
  });

  it('moves an object to another group when its label changes', () => {
    const store = emptyStore();
    store.put(thing('a', 1, 'fraud'));
    store.put(thing('a', 2, 'churn'));
    expect([store.group('fraud'), store.group('churn').length]).toEqual([[], 1]);
  });

  it('shows the answer to our own write before the watch brings it, and only once', () => {
    const store = emptyStore();
    store.put(thing('a', 5));
    expect(store.putOwn(thing('a', 8))?.type).toBe('Modified');
    expect(store.put(thing('a', 7))).toBeUndefined();
    expect(store.put(thing('a', 8))).toBeUndefined();
    expect(store.put(thing('a', 9))?.type).toBe('Modified');
  });

  it('does not bring back an object whose removal the watch brought before the answer to our write', () => {
    const store = emptyStore();
    store.put(thing('a', 5));
    store.drop(thing('a', 9));
    expect(store.putOwn(thing('a', 8))).toBeUndefined();
    expect(store.size).toBe(0);
  });

  it('keeps what we wrote after the list was taken', () => {
    const store = emptyStore();
    store.put(thing('a', 5));
    store.putOwn(thing('b', 12));
    store.replace([thing('a', 5)], '10');
    expect(store.all().map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
  });

  it('keeps our newer version when an older list arrives', () => {
    const store = emptyStore();
    store.putOwn(thing('a', 12));
    expect(store.replace([thing('a', 9)], '10')).toEqual([]);
    expect(store.get('ml', 'a')?.metadata.resourceVersion).toBe('12');
  });

  it('tells of what a list no longer names', () => {
    const store = emptyStore();
    store.put(thing('a', 1));
    store.put(thing('b', 2));
    expect(
      store.replace([thing('b', 2)], '10').map(({ type, object }) => [type, object.metadata.name]),
    ).toEqual([['Deleted', 'a']]);
  });

  it('drops what we removed, but not another life of the same name', () => {
    const store = emptyStore();
    store.put(thing('a', 1, 'fraud', 'second-life'));
    expect(store.dropOwn('ml', 'a', 'first-life')).toBeUndefined();
    expect(store.dropOwn('ml', 'a', 'second-life')?.type).toBe('Deleted');
    expect(store.group('fraud')).toEqual([]);
  });
});
