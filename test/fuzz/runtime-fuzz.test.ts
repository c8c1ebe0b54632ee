import { describe, expect, it } from 'vitest';
import { fuzzRuntime } from './runtime-fuzz.ts';

/** `make fuzz` does the same with a million requests, and holds latency and memory to their bounds. */
describe('a server that is sent what is almost right', () => {
  it(
    'never calls it its own fault, never falls silent, and goes on answering',
    { timeout: 120_000 },
    async () => {
      const report = await fuzzRuntime({
        seed: 20_261_126,
        requests: 15_000,
        grpcRequests: 5_000,
        ordinaryRequests: 4000,
      });
      expect(report.faults).toEqual([]);
      expect(report.serverErrors).toEqual([]);
      expect(report.executorRestarts).toBe(0);
      expect([report.ordinary.failed, report.attacked.failed]).toEqual([0, 0]);
      expect(report.attacked.answered).toBeGreaterThan(0);
      // Else the requests were not almost right, or the server takes everything.
      for (const status of ['200', '400', '404', '405', '415', '431']) {
        expect(report.replies, status).toHaveProperty(status);
      }
      for (const status of ['0', '3', '5', '12']) expect(report.statuses, status).toHaveProperty(status);
      expect(report.residentAfter).toBeLessThan(2 * report.residentBefore);
    },
  );
});
