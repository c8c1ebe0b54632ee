import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plainConnection } from '../../../operator/controller/connection.ts';
import { ListWatch, type ListWatchOptions, type Trim } from '../../../operator/controller/list-watch.ts';
import { ObjectStore, type Change } from '../../../operator/controller/object-store.ts';
import { createTransport } from '../../../operator/controller/transport.ts';
import { waitFor } from '../../bed/wait.ts';
import { FaultServer, type FaultyObject, type WatchFault } from './fault-server.ts';

const pods = { apiVersion: 'v1', kind: 'Pod', plural: 'pods' };

const trim: Trim = ({ apiVersion, kind }, raw) => {
  const { metadata, status } = raw as FaultyObject;
  const { managedFields: _managedFields, ...kept } = metadata;
  return { ...{ apiVersion, kind, status }, metadata: kept };
};

let server: FaultServer;
let store: ObjectStore;
let listWatch: ListWatch;
let changes: string[];
let troubles: string[];
let served: boolean[];

beforeEach(async () => {
  server = await FaultServer.start();
  store = new ObjectStore(({ metadata }) => metadata.labels?.['owner']);
  [changes, troubles, served] = [[], [], []];
});

afterEach(async () => {
  await listWatch.stop();
  await server.stop();
});

/** Longer than any pause of a busy machine, or a watch would be given up in the middle of a test. */
const timing = { idleMs: 60_000, firstBackoffMs: 5, lastBackoffMs: 50, missingMs: 10 };
const impatient = { ...timing, idleMs: 200 };

function watch(options: Partial<ListWatchOptions> = {}): void {
  listWatch = new ListWatch({
    transport: createTransport(plainConnection(server.url)),
    type: pods,
    store,
    trim,
    onChange: (change) => changes.push(inWords(change)),
    onServed: (_, isServed) => served.push(isServed),
    onTrouble: (_, error) => troubles.push(String(error)),
    timing,
    ...options,
  });
  listWatch.start();
}

async function watching(): Promise<void> {
  await waitFor('an open watch', () => server.openWatches === 1, { everyMs: 2 });
}

function inWords({ type, object }: Change): string {
  return `${type} ${object.metadata.name}`;
}

function names(): string[] {
  return store
    .all()
    .map(({ metadata }) => metadata.name)
    .sort();
}

describe('a list-watch', () => {
  it('holds what was there and follows what happens', async () => {
    server.put('old');
    watch();
    await watching();
    server.put('new');
    server.put('old');
    server.remove('old');
    await waitFor('all events', () => changes.length === 4, { everyMs: 2 });
    expect(changes).toEqual(['Added old', 'Added new', 'Modified old', 'Deleted old']);
    expect(names()).toEqual(['new']);
  });

  it('lists page by page', async () => {
    for (let index = 0; index < 1100; index += 1) server.put(`thing-${index}`);
    watch();
    await listWatch.synced;
    expect([store.size, server.lists]).toEqual([1100, 3]);
  });

  it('keeps of an object only what is read', async () => {
    server.put('a');
    watch();
    await listWatch.synced;
    expect(store.get('ml', 'a')).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a', namespace: 'ml', uid: 'a', resourceVersion: '11', labels: { owner: 'fraud' } },
      status: { phase: 'Running' },
    });
  });

  it('asks for bookmarks and a bounded watch, and goes on where a watch ended in good order', async () => {
    watch();
    await watching();
    server.write('{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"77"}}}\n');
    server.endWatches();
    await waitFor('the next watch', () => server.watches === 2, { everyMs: 2 });
    const [first, second] = server.watchQueries;
    expect(first?.get('allowWatchBookmarks')).toBe('true');
    expect(Number(first?.get('timeoutSeconds'))).toBeGreaterThanOrEqual(300);
    expect(second?.get('resourceVersion')).toBe('77');
    expect([server.lists, troubles]).toEqual([1, []]);
  });

  const faults: readonly WatchFault[] = [
    'status 500',
    'gone 410',
    'error event 410',
    'error event 500',
    'reset within a line',
    'garbage line',
    'unknown type',
    'end within a line',
    'silence',
    'end at once',
  ];
  it.each(faults)('misses nothing when its watch meets: %s', async (fault) => {
    server.put('before');
    server.put('goes');
    server.faults.push(fault, fault, fault);
    watch(fault === 'silence' ? { timing: impatient } : {});
    await waitFor('a first broken watch', () => server.watches > 0, { everyMs: 1 });
    server.put('meanwhile');
    server.remove('goes');
    await watching();
    server.put('after');
    await waitFor('the last event', () => changes.at(-1) === 'Added after', { everyMs: 2 });
    expect(names()).toEqual(['after', 'before', 'meanwhile']);
    // A watch that had nothing to say may have been well: the next one goes on from where it stood.
    const expected = fault === 'silence' ? { troubles: 0, lists: 1 } : { troubles: 3, lists: 4 };
    expect({ troubles: troubles.length, lists: server.lists }).toEqual(expected);
  });

  it('takes an API server that does not even answer for trouble', async () => {
    server.faults.push('no answer');
    watch({ timing: impatient });
    await watching();
    expect(troubles).toEqual([expect.stringContaining('no answer within 200 ms')]);
  });

  it('comes back when the whole server was away', async () => {
    watch();
    await watching();
    server.refuseWith = 503;
    server.endWatches();
    await waitFor('some refusals', () => troubles.length > 3, { everyMs: 2 });
    server.put('a');
    server.refuseWith = undefined;
    await waitFor('the object', () => names().includes('a'), { everyMs: 2 });
  });

  it('takes in neither a duplicate nor an older version of an object', async () => {
    watch();
    await watching();
    const first = server.put('a');
    const second = server.put('a');
    server.send('MODIFIED', second);
    server.send('MODIFIED', first);
    server.put('last');
    await waitFor('the last event', () => changes.at(-1) === 'Added last', { everyMs: 2 });
    expect(changes).toEqual(['Added a', 'Modified a', 'Added last']);
    expect(store.get('ml', 'a')?.metadata.resourceVersion).toBe(String(second.version));
  });

  it('tells an object from another of the same name by its uid', async () => {
    watch();
    await watching();
    const first = server.put('a', 'first-life');
    const second = server.put('a', 'second-life');
    server.send('DELETED', first);
    server.put('last');
    await waitFor('the last event', () => changes.at(-1) === 'Added last', { everyMs: 2 });
    expect(store.get('ml', 'a')?.metadata.uid).toBe(second.uid);
  });

  it('waits quietly for a kind that is not installed, and notices when it comes and goes', async () => {
    server.refuseWith = 404;
    watch();
    await listWatch.synced;
    expect([listWatch.isServed, served, troubles]).toEqual([false, [false], []]);
    server.refuseWith = undefined;
    server.put('a');
    await watching();
    expect(served).toEqual([false, true]);
    server.refuseWith = 404;
    server.endWatches();
    await waitFor('its absence', () => listWatch.isServed === false, { everyMs: 2 });
    expect([names(), changes.at(-1)]).toEqual([[], 'Deleted a']);
  });

  it('goes on when a listener throws', async () => {
    watch({
      onChange: (change) => {
        changes.push(inWords(change));
        throw new Error('the listener is broken');
      },
      onTrouble: () => {
        throw new Error('and so is this one');
      },
    });
    await watching();
    server.put('a');
    server.put('b');
    await waitFor('both events', () => changes.length === 2, { everyMs: 2 });
    expect(names()).toEqual(['a', 'b']);
  });

  it('ends at once when it is stopped', async () => {
    watch();
    await watching();
    await listWatch.stop();
    await waitFor('the closed watch', () => server.openWatches === 0, { everyMs: 2 });
    expect(troubles).toEqual([]);
  });
});
