import { describe, expect, it } from 'vitest';
import { OutputRing } from '../../../runtime/comparison/output-ring.ts';
import { answered, journeyOf, refused } from '../../support/journey.ts';

interface Load {
  readonly perSecond: number;
  readonly seconds: number;
  readonly fromSecond?: number;
}

/** So many requests in each second, under the ids that the proxy gave them. The time at the end. */
function serve(ring: OutputRing, { perSecond, seconds, fromSecond = 0 }: Load): number {
  for (let second = fromSecond; second < fromSecond + seconds; second++) {
    for (let number = 0; number < perSecond; number++) {
      ring.onEnd(journeyOf({ requestId: `${second}-${number}` }), answered(), second * 1000);
    }
  }
  return (fromSecond + seconds) * 1000;
}

function idsOf(ring: OutputRing, nowMs: number): string[] {
  return ring.list(0, nowMs).map(({ requestId }) => requestId);
}

describe('the ring of answers', () => {
  it('keeps what was answered, and what failed, with its latency', () => {
    const ring = new OutputRing();
    ring.onEnd(journeyOf({ requestId: 'good', origin: 'Mirror' }), answered(), 10);
    ring.onEnd(journeyOf({ requestId: 'bad', arrivedAtMs: 5 }), refused('ModelFailed', 500), 10);
    const [good, bad] = ring.list(0, 10);
    expect(good).toMatchObject({ requestId: 'good', origin: 'Mirror', latencyMs: 10, status: 200 });
    expect(JSON.parse(good?.outputs ?? '')).toMatchObject([
      { name: 'label', data: [1] },
      { name: 'probabilities' },
    ]);
    expect(bad).toMatchObject({ requestId: 'bad', latencyMs: 5, status: 500, outputs: null });
  });

  it('leaves out testers and clients that hung up', () => {
    const ring = new OutputRing();
    ring.onEnd(journeyOf({ origin: 'Preview' }), answered(), 10);
    ring.onEnd(journeyOf(), { kind: 'HungUp' }, 10);
    expect(ring.list(0, 10)).toEqual([]);
  });

  it('gives to whoever asks again only what is new', () => {
    const ring = new OutputRing();
    serve(ring, { perSecond: 3, seconds: 1 });
    const last = ring.list(0, 1000).at(-1)?.sequence ?? 0;
    expect(ring.list(last, 1000)).toEqual([]);
    serve(ring, { perSecond: 2, seconds: 1, fromSecond: 1 });
    expect(ring.list(last, 2000)).toHaveLength(2);
  });

  it('forgets what is older than a minute', () => {
    const ring = new OutputRing();
    serve(ring, { perSecond: 5, seconds: 1 });
    expect(ring.list(0, 60_000)).toHaveLength(5);
    expect(ring.list(0, 60_001)).toHaveLength(0);
  });

  it('keeps a share of a busy server that fits, and all again when it is quiet', () => {
    const ring = new OutputRing();
    const nowMs = serve(ring, { perSecond: 1000, seconds: 60 });
    expect(ring.share).toBeLessThan(0.05);
    expect(idsOf(ring, nowMs).length).toBeGreaterThan(200);
    expect(idsOf(ring, nowMs).length).toBeLessThanOrEqual(1024);
    serve(ring, { perSecond: 1, seconds: 1200, fromSecond: 120 });
    expect(ring.share).toBe(1);
  });

  it('has of a busy revision a part of what a quiet one has, so that the two can be compared', () => {
    const busy = new OutputRing();
    const quiet = new OutputRing();
    const nowMs = serve(busy, { perSecond: 400, seconds: 60 });
    // A fifth of the requests is mirrored.
    serve(quiet, { perSecond: 80, seconds: 60 });
    const inQuiet = new Set(idsOf(quiet, nowMs));
    const common = idsOf(busy, nowMs).filter((id) => inQuiet.has(id));
    const mirrored = idsOf(busy, nowMs).filter((id) => Number(id.split('-')[1]) < 80);
    expect(common).toEqual(mirrored);
    expect(common.length).toBeGreaterThan(50);
  });
});
