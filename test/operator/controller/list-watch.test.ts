import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plainConnection } from '../../../operator/controller/connection.ts';
import { ListWatch, type ListWatchOptions } from '../../../operator/controller/list-watch.ts';
import { usualTiming } from '../../../operator/controller/list-watch-timing.ts';
import { ObjectStore, type Change } from '../../../operator/controller/object-store.ts';
import { createTransport } from '../../../operator/controller/transport.ts';
import { waitFor } from '../../bed/wait.ts';
import { watchFaults, type ListFault, type WatchFault } from '../../support/fault-server/faults.ts';
import { FaultServer } from '../../support/fault-server/fault-server.ts';
import { trimThing } from '../../support/fault-server/wire.ts';

const pods = { apiVersion: 'v1', kind: 'Pod', plural: 'pods' };

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
const timing = {
  ...{ watchSeconds: 60, idleMs: 120_000, listIdleMs: 60_000 },
  ...{ firstBackoffMs: 5, lastBackoffMs: 50, missingMs: 10, restoredAfterMs: 100, restoredAfterLists: 3 },
};
const impatient = { ...timing, idleMs: 200 };

function watch(options: Partial<ListWatchOptions> = {}): void {
  listWatch = new ListWatch({
    transport: createTransport(plainConnection(server.url)),
    type: pods,
    store,
    trim: trimThing,
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

  it('keeps of an object only what is read', async () => {
    server.put('a');
    watch();
    await listWatch.synced;
    expect(store.get('ml', 'a')).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'a', namespace: 'ml', uid: 'a', resourceVersion: '11', labels: { owner: 'fraud' } },
      status: { world: 0 },
    });
  });

  it('asks for bookmarks and a bounded watch, and goes on where a watch ended in time', async () => {
    watch({ timing: { ...timing, watchSeconds: 1 } });
    await watching();
    server.write('{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"77"}}}\n');
    await waitFor('the next watch', () => server.watches === 2, { everyMs: 2 });
    const [first, second] = server.watchQueries;
    expect(first?.get('allowWatchBookmarks')).toBe('true');
    expect(first?.get('timeoutSeconds')).toBe('1');
    expect(second?.get('resourceVersion')).toBe('77');
    expect([server.lists, troubles]).toEqual([1, []]);
  });

  it('takes a watch that ends before its time for trouble, although it ends in good order', async () => {
    watch();
    await watching();
    server.endWatches();
    await waitFor('the next watch', () => server.watches === 2, { everyMs: 2 });
    expect([server.lists, troubles]).toEqual([
      2,
      [expect.stringMatching(/the watch ended after 0\.\d of \d\d s/)],
    ]);
  });

  it('notices within 45 s that a watch is dead, by what it asks of the server and of itself', () => {
    const longestWatchMs = usualTiming.watchSeconds * 1.4 * 1000;
    expect(usualTiming.idleMs).toBeLessThanOrEqual(45_000);
    // A server that answers late by less than this is not taken for dead.
    expect(usualTiming.idleMs - longestWatchMs).toBeGreaterThanOrEqual(5_000);
  });

  it.each(watchFaults)('misses nothing when its watch meets: %s', async (fault) => {
    server.put('before');
    server.put('goes');
    // Whoever is asked to stay away for a second is tested once.
    server.faults.push(...Array<WatchFault>(fault === 'status 429' ? 1 : 3).fill(fault));
    watch({ timing: impatient });
    await waitFor('a first broken watch', () => server.watches > 0, { everyMs: 1 });
    server.put('meanwhile');
    server.remove('goes');
    await watching();
    server.put('after');
    await waitFor('the last event', () => changes.at(-1) === 'Added after', { everyMs: 2 });
    expect(names()).toEqual(['after', 'before', 'meanwhile']);
    expect(changes.filter((change) => change === 'Deleted goes')).toHaveLength(1);
  });

  it('takes an API server that does not even answer for trouble', async () => {
    server.faults.push('no answer');
    watch({ timing: impatient });
    await watching();
    expect(troubles[0]).toContain('no answer within 200 ms');
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

  it('stays away for as long as the server asks', async () => {
    server.listFaults.push('status 429');
    const startedAtMs = performance.now();
    watch();
    await watching();
    // Timers count whole milliseconds.
    expect(performance.now() - startedAtMs).toBeGreaterThanOrEqual(999);
    expect(troubles).toHaveLength(1);
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

describe('the list before a watch', () => {
  function putMany(): void {
    for (let index = 0; index < 1100; index += 1) server.put(`thing-${index}`);
  }

  it('is sent object by object where the server can', async () => {
    putMany();
    watch();
    await listWatch.synced;
    expect([store.size, server.lists, server.streams]).toEqual([1100, 1, 1]);
  });

  it('is read page by page where the server refuses that, and it is not asked again', async () => {
    putMany();
    server.streaming = 'refuses';
    watch();
    await watching();
    expect([store.size, server.lists]).toEqual([1100, 3]);
    server.endWatches();
    await waitFor('the next watch', () => server.watches === 2, { everyMs: 2 });
    expect([server.lists, server.refusals]).toEqual([6, 1]);
  });

  it('is read page by page where the server does not know how a list is sent', async () => {
    putMany();
    server.streaming = 'ignores';
    watch({ timing: { ...timing, listIdleMs: 200 } });
    await listWatch.synced;
    expect([store.size, server.lists]).toEqual([1100, 4]);
  });

  const faults: readonly ListFault[] = [
    ...(['status 500', 'gone 410', 'reset', 'end within the list', 'garbage'] as const),
  ];
  it.each(
    faults.flatMap(
      (fault) =>
        [
          ['sends', fault],
          ['refuses', fault],
        ] as const,
    ),
  )('begins again when a server that %s streams meets: %s', async (streaming, fault) => {
    putMany();
    server.streaming = streaming;
    server.listFaults.push(fault, fault);
    watch();
    await watching();
    expect([store.size, troubles.length]).toEqual([1100, 2]);
  });

  it('is not believed while it is older than what is known', async () => {
    server.put('a');
    server.remember();
    server.put('a');
    server.put('b');
    watch();
    await watching();
    server.listFaults.push('old list', 'old list');
    server.endWatches();
    await waitFor('the next watch', () => server.watches === 2, { everyMs: 2 });
    expect([names(), changes]).toEqual([
      ['a', 'b'],
      ['Added a', 'Added b'],
    ]);
    expect(troubles.filter((trouble) => trouble.includes('is known already'))).toHaveLength(2);
  });

  it('comes at once when all that is written by now is wanted, whatever the watch has told', async () => {
    watch();
    await watching();
    // A watch that is behind: it tells nothing of this.
    server.truth.put('late', 'late');
    await listWatch.refresh();
    expect([names(), troubles]).toEqual([['late'], []]);
    await watching();
    server.put('next');
    await waitFor('the watch goes on', () => changes.at(-1) === 'Added next', { everyMs: 2 });
  });

  it('is no answer to who wants what is written by now when it began before, or fails', async () => {
    server.put('a');
    server.remember();
    server.refuseWith = 500;
    watch({ timing: { ...timing, firstBackoffMs: 60_000, lastBackoffMs: 60_000 } });
    await waitFor('a long pause', () => troubles.length === 1, { everyMs: 2 });
    const refreshed = listWatch.refresh().then(() => names());
    await waitFor('another attempt', () => troubles.length === 2, { everyMs: 2 });
    server.put('b');
    server.refuseWith = undefined;
    const again = listWatch.refresh();
    await expect(refreshed).resolves.toEqual(['a', 'b']);
    await again;
  });

  it('of a kind that is missing answers as well', async () => {
    server.refuseWith = 404;
    watch({ timing: { ...timing, missingMs: 60_000 } });
    await listWatch.synced;
    await listWatch.refresh();
    expect(served).toEqual([false]);
  });

  it('of a cluster that was restored from a backup is believed once it is plain that it was', async () => {
    server.put('a');
    server.put('b');
    server.remember();
    server.put('c');
    server.remove('b');
    watch();
    await watching();
    server.restore();
    await waitFor('the world of the backup', () => names().join() === 'a,b', { everyMs: 2 });
    expect(changes).toEqual(['Added a', 'Added c', 'Deleted c', 'Added b']);
    expect(troubles.filter((trouble) => trouble.startsWith('RestoredError'))).toHaveLength(1);
    await watching();
    server.put('new');
    await waitFor('the new world goes on', () => changes.at(-1) === 'Added new', { everyMs: 2 });
  });
});
