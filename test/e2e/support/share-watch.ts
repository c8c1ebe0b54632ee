import { setTimeout as pause } from 'node:timers/promises';
import type { Bed } from '../../bed/bed.ts';
import { weightsAtGateways } from './proxies.ts';
import type { ObjectName } from './status.ts';

/** What the gateways themselves said at one moment about their share for one revision. */
export interface ShareSample {
  readonly atMs: number;
  /** Of 10000, the largest of all gateways. */
  readonly largest: number;
}

export interface RiseAndFall {
  readonly raisedAtMs: number;
  /** When no gateway sent it anything any more. */
  readonly goneAtMs: number;
}

const EVERY_MS = 100;

/** Asks all gateways again and again, from its creation to `stop`, what they send to a revision. */
export class ShareWatch {
  private readonly samples: ShareSample[] = [];
  private readonly asking: Promise<void>;
  private isStopped = false;

  constructor(bed: Bed, name: ObjectName, revision: string) {
    this.asking = this.ask(bed, name, revision);
  }

  get wasEverRaised(): boolean {
    return this.samples.some(({ largest }) => largest > 0);
  }

  /** True when the last samples of so long a time were all 0. */
  isGoneSinceMs(durationMs: number): boolean {
    const lastRaised = this.samples.findLast(({ largest }) => largest > 0);
    const zeroSince = this.samples.find(({ atMs }) => atMs > (lastRaised?.atMs ?? 0));
    const latest = this.samples.at(-1);
    return zeroSince !== undefined && latest !== undefined && latest.atMs - zeroSince.atMs >= durationMs;
  }

  riseAndFall(): RiseAndFall {
    const found = riseAndFall(this.samples);
    if (found === undefined) throw new Error('the revision never had a share, or still has one');
    return found;
  }

  /**
   * When no gateway sent it anything any more, given that it still answered at `servedUntilMs`: on a busy machine a share
   * may come and go between two samples.
   */
  goneAtMs(servedUntilMs: number): number {
    const lastRaised = this.samples.findLast(({ largest }) => largest > 0);
    const fromMs = Math.max(lastRaised?.atMs ?? 0, servedUntilMs);
    const gone = this.samples.find(({ atMs }) => atMs > fromMs);
    if (gone === undefined) throw new Error('the revision still has a share');
    return gone.atMs;
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await this.asking;
  }

  private async ask(bed: Bed, name: ObjectName, revision: string): Promise<void> {
    while (!this.isStopped) {
      // A gateway too busy to answer leaves a gap, and no gap can pass for a 0.
      const gateways = await weightsAtGateways(bed, name).catch(() => undefined);
      if (gateways !== undefined) {
        const shares = Object.values(gateways).map((weights) => weights[revision] ?? 0);
        this.samples.push({ atMs: Date.now(), largest: Math.max(...shares) });
      }
      await pause(EVERY_MS);
    }
  }
}

/** When a share was first seen above 0, and when it was at 0 everywhere for good; undefined until both have happened. */
export function riseAndFall(samples: readonly ShareSample[]): RiseAndFall | undefined {
  const first = samples.find(({ largest }) => largest > 0);
  const last = samples.findLastIndex(({ largest }) => largest > 0);
  const gone = samples[last + 1];
  return first === undefined || gone === undefined
    ? undefined
    : { raisedAtMs: first.atMs, goneAtMs: gone.atMs };
}
