import { describe, expect, it } from 'vitest';
import { listFaults, watchFaults } from '../support/fault-server/faults.ts';
import { scaledTiming, soak } from './soak.ts';

/** `make soak` does the same with a million events and measures memory; here every fault comes at least now and then. */
describe('list-watches that are hurt at random', () => {
  it(
    'hold the truth whenever they are left alone, and never tell of anything older',
    { timeout: 180_000 },
    async () => {
      const { problems, servers, samples, takenOver } = await soak({
        ...{ seed: 20_240_601, events: 120_000, kinds: 3, names: 200 },
        ...{ eventsPerFault: 200, changesPerRestore: 20_000, halfOpenInRealTime: 0, checkpoints: 5 },
      });
      expect(problems).toEqual([]);
      const faults = new Set(servers.flatMap((server) => Object.keys(server.faults)));
      expect(faults.size).toBe(watchFaults.length + listFaults.length);
      expect(Math.min(...servers.map(({ restores }) => restores))).toBeGreaterThan(0);
      expect(takenOver).toBeGreaterThan(0);
      // The busy machine's share is on top.
      const longestNoticeMs = Math.max(...servers.map((server) => server.longestNoticeMs));
      expect(longestNoticeMs).toBeGreaterThan(0);
      expect(longestNoticeMs).toBeLessThan(scaledTiming.idleMs + 5_000);
      const descriptors = samples.map((sample) => sample.descriptors);
      expect(Math.max(...descriptors) - Math.min(...descriptors)).toBeLessThan(20);
    },
  );
});
