import { describe, expect, it } from 'vitest';
import { RoutingsSeen } from '../../../runtime/metrics/routings-seen.ts';

describe('the routings that requests came by', () => {
  it('are listed with their age, the latest first', () => {
    const routings = new RoutingsSeen();
    routings.record('old', 0);
    routings.record('new', 1000);
    routings.record('old', 4000);
    expect(routings.list(5000)).toEqual([
      { hash: 'old', lastSeenSecondsAgo: 1 },
      { hash: 'new', lastSeenSecondsAgo: 4 },
    ]);
  });

  it('are forgotten after ten minutes', () => {
    const routings = new RoutingsSeen();
    routings.record('a', 0);
    expect(routings.list(600_000)).toHaveLength(1);
    expect(routings.list(600_001)).toEqual([]);
  });

  it('take no more memory however many hashes a client makes up', () => {
    const routings = new RoutingsSeen();
    for (let index = 0; index < 1000; index++) routings.record(`r${index}`, index);
    const kept = routings.list(1000).map(({ hash }) => hash);
    expect(kept).toEqual(Array.from({ length: 32 }, (_, index) => `r${999 - index}`));
  });

  it.each(['', 'a b', 'x'.repeat(65), '"', 'ü'])('never come from %j, which is no hash', (hash) => {
    const routings = new RoutingsSeen();
    routings.record(hash, 0);
    expect(routings.list(0)).toEqual([]);
  });
});
