import type { Bed } from '../bed/bed.ts';
import { waitFor } from '../bed/wait.ts';
import { weightsAtGateways } from '../e2e/support/proxies.ts';
import type { ObjectName } from '../e2e/support/status.ts';

/** What the gateways themselves said at one moment about their share for one revision. */
export interface ShareSample {
  readonly atMs: number;
  /** Of 10000, the largest of all gateways. */
  readonly largest: number;
}

const EVERY_MS = 100;

/** Asks both Envoys again and again what they send to a revision, until they were seen to send something and then nothing. */
export async function watchShareUntilGone(
  bed: Bed,
  name: ObjectName,
  revision: string,
  timeoutMs: number,
): Promise<{ readonly raisedAtMs: number; readonly goneAtMs: number }> {
  const samples: ShareSample[] = [];
  return await waitFor(
    `both gateways send something to ${revision} and then nothing`,
    async () => {
      const gateways = Object.values(await weightsAtGateways(bed, name));
      const largest = Math.max(...gateways.map((weights) => weights[revision] ?? 0));
      samples.push({ atMs: Date.now(), largest });
      return riseAndFall(samples);
    },
    { timeoutMs, everyMs: EVERY_MS },
  );
}

/** When a share was first seen above 0 and when, after that, first at 0 everywhere; undefined until both have happened. */
export function riseAndFall(
  samples: readonly ShareSample[],
): { readonly raisedAtMs: number; readonly goneAtMs: number } | undefined {
  const raised = samples.findIndex(({ largest }) => largest > 0);
  if (raised === -1) return undefined;
  const gone = samples.slice(raised).find(({ largest }) => largest === 0);
  const raisedAtMs = samples[raised]?.atMs;
  return gone === undefined || raisedAtMs === undefined ? undefined : { raisedAtMs, goneAtMs: gone.atMs };
}
