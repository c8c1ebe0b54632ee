import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { strategies, type StrategyName } from '../../operator/strategies/index.ts';
import { Dice } from '../support/dice.ts';
import { sampleOf, shuffled, wholeCampaign } from '../support/fault-campaign/cases.ts';
import type { Case } from '../support/fault-campaign/faults.ts';
import { missedOf, nameOf, tableOf, type Verdict } from '../support/fault-campaign/report.ts';
import { Campaign, isCrash, type Recorded } from './support/faults/campaign.ts';
import { crashInGroups, runAll } from './support/faults/pool.ts';
import { Installation } from './support/installation.ts';

/**
 * `make faults` runs every write and every event with each fault, or those whose name holds the text that is given, such
 * as `Shadow, lost reply`; otherwise one of each, the same for the same seed.
 */
const wanted = process.env['HEADGATE_FAULTS'];
const isWhole = wanted !== undefined;
const seed = Number(process.env['HEADGATE_SEED'] ?? 9);
const names = Object.keys(strategies) as readonly StrategyName[];
const LONGEST_MS = isWhole ? 7_200_000 : 900_000;

describe('a rollout of each strategy that one fault meets', () => {
  let installation: Installation;
  let campaign: Campaign;
  let recorded: readonly Recorded[];

  beforeAll(async () => {
    installation = await Installation.create({ istio: true, auditPolicy: nothingAudited });
    campaign = await Campaign.start(installation);
    recorded = await Promise.all(
      names.map(async (strategy) => await campaign.record(strategy, isWhole ? 4 : 2)),
    );
  }, 300_000);

  afterAll(async () => {
    await campaign.stop();
    await installation.stop();
  });

  test('is long enough to be worth it', () => {
    for (const { strategy, writes, events } of recorded) {
      console.log(`  ${strategy}: ${writes.length} writes, ${events.length} events`);
      expect(writes.length).toBeGreaterThan(30);
      expect(events.length).toBeGreaterThan(30);
    }
  });

  test('comes to the same end with no deletion too many', { timeout: LONGEST_MS }, async () => {
    const numbers = new Dice(seed);
    const dice = (): number => numbers.next();
    const crashAt = dice();
    const cases = recorded
      .flatMap((recording) => (isWhole ? wholeCampaign(recording) : sampleOf(recording, { dice, crashAt })))
      .filter((planned) => !isWhole || wanted === 'whole' || nameOf(planned).includes(wanted));
    expect(cases.length, `no fault is called like '${wanted}'`).toBeGreaterThan(0);
    const startedAtMs = performance.now();
    const verdicts = await carryOut(cases, dice);
    const minutes = (performance.now() - startedAtMs) / 60_000;
    console.log(`${tableOf(verdicts)}\n  ${minutes.toFixed(1)} minutes, seed ${seed}`);
    expect(verdicts.filter(({ problems }) => problems.length > 0).map(describeProblems)).toEqual([]);
    expect(missedOf(verdicts.filter(isSure))).toEqual([]);
  });

  async function carryOut(cases: readonly Case[], dice: () => number): Promise<readonly Verdict[]> {
    const [crashes, others] = [cases.filter(isCrash), cases.filter((planned) => !isCrash(planned))];
    const verdicts: Verdict[] = [];
    const hear = (verdict: Verdict): void => {
      verdicts.push(verdict);
      if (verdict.problems.length > 0) console.log(`  ${describeProblems(verdict)}`);
      if (verdicts.length % 100 === 0)
        console.log(`  ${verdicts.length} rollouts of at least ${cases.length}`);
    };
    await crashInGroups(campaign, crashes, { recordings: recorded, hear });
    await runAll(campaign, shuffled(others, dice), hear);
    return verdicts;
  }

  /** What an undisturbed rollout may do without, a disturbed one may too. */
  function isSure({ strategy, key }: Case): boolean {
    const recording = recorded.find((candidate) => candidate.strategy === strategy);
    return [...(recording?.writes ?? []), ...(recording?.events ?? [])].some(
      (candidate) => candidate.name === key && candidate.isSure,
    );
  }
});

function describeProblems(verdict: Verdict): string {
  return `${nameOf(verdict)}: ${verdict.problems.join('; ')}`;
}

/** The proxy sees all that is asked here; a log of it would only cost time. */
const nothingAudited = { apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules: [{ level: 'None' }] };
