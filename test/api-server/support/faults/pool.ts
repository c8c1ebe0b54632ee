import type { Recording } from '../../../support/fault-campaign/cases.ts';
import type { Case } from '../../../support/fault-campaign/faults.ts';
import type { Verdict } from '../../../support/fault-campaign/report.ts';
import type { Campaign } from './campaign.ts';

/** How many rollouts are under way at once. */
const AT_ONCE = Number(process.env['HEADGATE_FAULTS_AT_ONCE'] ?? 48);
/** A fault that did not come, since another rollout's fault took its event or its write away, is tried again. */
const ATTEMPTS = 3;

type Hear = (verdict: Verdict) => void;

export async function runAll(campaign: Campaign, cases: readonly Case[], hear: Hear): Promise<void> {
  const waiting = cases.map((planned) => ({ planned, attempts: ATTEMPTS }));
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { planned, attempts } = next;
      const verdict = await campaign.run(planned);
      hear(verdict);
      if (!verdict.isStruck && attempts > 1) waiting.unshift({ planned, attempts: attempts - 1 });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

interface Crashing {
  readonly recordings: readonly Recording[];
  readonly hear: Hear;
}

/**
 * Those that are killed at about the same time of their rollout are killed together. What begins with stale lists does
 * so for all of a group.
 */
export async function crashInGroups(
  campaign: Campaign,
  cases: readonly Case[],
  { recordings, hear }: Crashing,
): Promise<void> {
  const atMs = timesOf(recordings);
  let waiting = cases;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const missed: Case[] = [];
    for (const group of groupsOf(waiting, (planned) => atMs.get(timeKey(planned)) ?? 0)) {
      const verdicts = await campaign.crash(group);
      verdicts.forEach(hear);
      missed.push(...group.filter((_, index) => verdicts[index]?.isStruck !== true));
    }
    waiting = missed;
  }
}

function groupsOf(cases: readonly Case[], timeOf: (planned: Case) => number): readonly (readonly Case[])[] {
  return [false, true].flatMap((isStale) => {
    const inOrder = cases
      .filter(({ fault }) => (fault === 'stale start') === isStale)
      .toSorted((left, right) => timeOf(left) - timeOf(right));
    const count = Math.ceil(inOrder.length / AT_ONCE);
    return Array.from({ length: count }, (_, index) => inOrder.slice(index * AT_ONCE, (index + 1) * AT_ONCE));
  });
}

function timeKey({ strategy, key }: Case): string {
  return `${strategy} ${key}`;
}

function timesOf(recordings: readonly Recording[]): ReadonlyMap<string, number> {
  return new Map(
    recordings.flatMap(({ strategy, writes }) =>
      writes.map(({ name: key, atMs }) => [`${strategy} ${key}`, atMs] as const),
    ),
  );
}
