import { describe, expect, it } from 'vitest';
import type { KubernetesObject } from '../../../operator/controller/object.ts';
import { compareVersions, ObjectStore, type Change } from '../../../operator/controller/object-store.ts';

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

function inWords(changes: readonly Change[]): string[] {
  return changes.map(
    ({ type, object }) => `${type} ${object.metadata.name} ${object.metadata.resourceVersion ?? ''}`,
  );
}

function names(store: ObjectStore): string[] {
  return store.all().map(({ metadata }) => metadata.name);
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
});

describe('our own writes', () => {
  it('are known before the watch brings them, and told of only once', () => {
    const store = emptyStore();
    store.put(thing('a', 5));
    expect(inWords(store.putOwn(thing('a', 8)))).toEqual(['Modified a 8']);
    expect(store.put(thing('a', 7))).toEqual([]);
    expect(store.put(thing('a', 8))).toEqual([]);
    expect(inWords(store.put(thing('a', 9)))).toEqual(['Modified a 9']);
  });

  it('do not bring back an object whose removal the watch has brought already', () => {
    const store = emptyStore();
    store.put(thing('a', 5));
    store.drop(thing('a', 9));
    expect(store.putOwn(thing('a', 8))).toEqual([]);
    expect(store.size).toBe(0);
  });

  it('outlive a list that was taken before them', () => {
    const store = emptyStore();
    store.replace([thing('a', 5)], '10');
    store.putOwn(thing('a', 12));
    store.putOwn(thing('b', 13));
    expect(store.replace([thing('a', 5)], '11')).toEqual([]);
    expect(store.all().map(({ metadata }) => metadata.resourceVersion)).toEqual(['12', '13']);
  });

  it('give way to a list that is newer, whatever it says of them', () => {
    const store = emptyStore();
    store.putOwn(thing('a', 12));
    store.putOwn(thing('b', 13));
    expect(inWords(store.replace([thing('a', 9)], '20'))).toEqual(['Deleted b 13', 'Modified a 9']);
  });

  it('say how new the next list must be', () => {
    const store = emptyStore();
    store.bookmark('10');
    expect(store.newestVersion).toBe('10');
    store.putOwn(thing('a', 12));
    expect([store.newestVersion, store.heardVersion]).toEqual(['12', '10']);
  });

  it('that remove an object hold for this life of it alone', () => {
    const store = emptyStore();
    store.put(thing('a', 1, 'fraud', 'second-life'));
    expect(store.dropOwn('ml', 'a', 'first-life')).toEqual([]);
    expect(inWords(store.dropOwn('ml', 'a', 'second-life'))).toEqual(['Deleted a 1']);
    expect(store.group('fraud')).toEqual([]);
  });

  it('that remove an object are not undone by what the watch says of it from before', () => {
    const store = emptyStore();
    store.put(thing('a', 1));
    store.dropOwn('ml', 'a', 'a');
    expect(store.put(thing('a', 2))).toEqual([]);
    expect(store.replace([thing('a', 2)], '3')).toEqual([]);
    expect(store.drop(thing('a', 4))).toEqual([]);
    expect(inWords(store.put(thing('a', 5, 'fraud', 'second-life')))).toEqual(['Added a 5']);
  });
});

describe('a watch', () => {
  it('takes in no event twice, not even one whose object has gone since', () => {
    const store = emptyStore();
    store.put(thing('a', 1));
    store.drop(thing('a', 2));
    expect([...store.put(thing('a', 1)), ...store.drop(thing('a', 2))]).toEqual([]);
    expect(store.size).toBe(0);
  });

  it('takes in nothing from before its last bookmark', () => {
    const store = emptyStore();
    store.bookmark('10');
    expect(store.put(thing('a', 9))).toEqual([]);
    expect(store.heardVersion).toBe('10');
  });

  it('that says that an earlier life has gone leaves the present one', () => {
    const store = emptyStore();
    store.putOwn(thing('a', 8, 'fraud', 'second-life'));
    expect(store.drop(thing('a', 5, 'fraud', 'first-life'))).toEqual([]);
    expect(store.get('ml', 'a')?.metadata.uid).toBe('second-life');
  });

  it('that says that a later life has gone takes the present one with it', () => {
    const store = emptyStore();
    store.put(thing('a', 5, 'fraud', 'first-life'));
    expect(inWords(store.drop(thing('a', 8, 'fraud', 'second-life')))).toEqual(['Deleted a 8']);
  });

  it('that brings another life of a name tells that the first one has gone', () => {
    const store = emptyStore();
    store.put(thing('a', 5, 'fraud', 'first-life'));
    expect(inWords(store.put(thing('a', 8, 'churn', 'second-life')))).toEqual(['Deleted a 5', 'Added a 8']);
    expect([store.group('fraud').length, store.group('churn').length]).toEqual([0, 1]);
  });
});

describe('a list', () => {
  it('tells of what it no longer names, and of nothing that is as it was', () => {
    const store = emptyStore();
    store.put(thing('a', 1));
    store.put(thing('b', 2));
    expect(inWords(store.replace([thing('b', 2)], '10'))).toEqual(['Deleted a 1']);
  });

  it('of a restored cluster is all there is, older versions and lives that had gone included', () => {
    const store = emptyStore();
    store.replace([thing('kept', 5), thing('older', 90), thing('lost', 80)], '100');
    store.putOwn(thing('own', 101));
    store.dropOwn('ml', 'kept', 'kept');
    const changes = store.restart([thing('kept', 5), thing('older', 40)], '50');
    expect(inWords(changes)).toEqual([
      'Deleted lost 80',
      'Deleted own 101',
      'Added kept 5',
      'Modified older 40',
    ]);
    expect([store.newestVersion, names(store)]).toEqual(['50', ['older', 'kept']]);
    expect(inWords(store.put(thing('older', 51)))).toEqual(['Modified older 51']);
  });

  it('is not needed to know that a kind is served no more', () => {
    const store = emptyStore();
    store.put(thing('a', 1));
    expect(inWords(store.clear())).toEqual(['Deleted a 1']);
    expect(inWords(store.replace([thing('a', 7)], '9'))).toEqual(['Added a 7']);
  });
});
