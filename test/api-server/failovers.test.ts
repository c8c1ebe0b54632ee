import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writesWithAnswers } from '../bed/audit-trail.ts';
import { failOver, losses, type Failover } from './support/failovers.ts';
import { Installation } from './support/installation.ts';
import { judge } from './support/judgement.ts';
import { Replicas } from './support/replicas.ts';
import { StandInNode } from './support/stand-in-node.ts';

/** `make failovers` does a thousand. */
const count = Number(process.env['HEADGATE_FAILOVERS'] ?? 12);
const seed = Number(process.env['HEADGATE_SEED'] ?? 9);
const LONGEST_MS = count * 20_000;

function describeLosses(failovers: readonly Failover[]): string {
  const parts = losses.flatMap((loss) => {
    const seconds = failovers
      .filter((failover) => failover.loss === loss)
      .map((failover) => failover.seconds)
      .toSorted((left, right) => left - right);
    const [median, longest] = [seconds[Math.floor(seconds.length / 2)], seconds.at(-1)];
    if (median === undefined || longest === undefined) return [];
    return [`${seconds.length} ${loss} (median ${median.toFixed(2)} s, longest ${longest.toFixed(2)} s)`];
  });
  return parts.join(', ');
}

describe('leaders that are lost one after the other while users change their models', () => {
  let installation: Installation;
  let replicas: Replicas;
  let node: StandInNode;

  beforeAll(async () => {
    installation = await Installation.create({ istio: true, auditPolicy: writesWithAnswers });
    node = new StandInNode(installation);
    replicas = new Replicas(installation, 1);
  });

  afterAll(async () => {
    await replicas.stop();
    await node.stop();
    await installation.stop();
  });

  test('overwrite nothing that a successor has written (I9)', { timeout: LONGEST_MS }, async () => {
    const failovers = await failOver(installation, replicas, { count, seed });
    await replicas.stop();
    console.log(`  ${failovers.length} failovers, seed ${seed}: ${describeLosses(failovers)}`);
    const { elections, landed, refused, late, overrulings } = await judge(installation.server.auditLog);
    console.log(
      [
        `  ${elections.length} elections, ${landed.length} writes, ${refused.length} refused as conflicts,`,
        `  ${late.length} by ex-leaders on what no successor had written, ${overrulings.length} over a successor`,
      ].join('\n'),
    );
    expect(overrulings).toEqual([]);
    expect(elections.length).toBeGreaterThanOrEqual(count);
    // The ruler itself: every leader has found something to write.
    expect(landed.length).toBeGreaterThan(count * 5);
  });
});
