import { faults, type Case } from './faults.ts';

/** What became of one case. */
export interface Verdict extends Case {
  readonly isStruck: boolean;
  /** In sentences; none where the rollout came to the same end. */
  readonly problems: readonly string[];
  readonly seconds: number;
  /** All writes and events of the rollout. */
  readonly keys: ReadonlySet<string>;
}

/** Of the other rollouts of its strategy, so many have a key that every rollout has. */
const NEARLY_ALL = 0.95;

/**
 * Cases whose fault never came, though the rollouts with other faults show that there was a place for it. What one in
 * many rollouts does without, such as a status that is over before it is written, may be missed.
 */
export function missedOf(verdicts: readonly Verdict[]): readonly string[] {
  const hit = new Set(verdicts.filter(({ isStruck }) => isStruck).map(nameOf));
  const missed = verdicts.filter((verdict) => !hit.has(nameOf(verdict)) && isUsual(verdict, verdicts));
  return [...new Set(missed.map(nameOf))];
}

function isUsual({ strategy, key }: Case, verdicts: readonly Verdict[]): boolean {
  const others = verdicts.filter((verdict) => verdict.strategy === strategy && verdict.key !== key);
  const having = others.filter(({ keys }) => keys.has(key));
  return having.length >= others.length * NEARLY_ALL;
}

/** Strategy and fault, with what was tried and what came of it. */
export function tableOf(verdicts: readonly Verdict[]): string {
  const rows = [...Map.groupBy(verdicts, ({ strategy }) => strategy)].flatMap(([strategy, ofStrategy]) =>
    faults.flatMap((fault) => {
      const ofFault = ofStrategy.filter((verdict) => verdict.fault === fault);
      return ofFault.length === 0 ? [] : [rowOf(strategy, fault, ofFault)];
    }),
  );
  const all = rowOf('all', '', verdicts);
  const head = ['strategy', 'fault', 'keys', 'hit', 'rollouts', 'same end', 's a rollout'];
  const lines = [head, ...rows, all];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  return lines
    .map((line) =>
      line.map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      ),
    )
    .map((line) => `  ${line.join('  ')}`)
    .join('\n');
}

function rowOf(strategy: string, fault: string, verdicts: readonly Verdict[]): readonly string[] {
  const seconds = verdicts.reduce((total, verdict) => total + verdict.seconds, 0) / verdicts.length;
  return [
    ...[strategy, fault],
    ...[keysOf(verdicts), keysOf(verdicts.filter(({ isStruck }) => isStruck)), verdicts.length].map(String),
    String(verdicts.filter(({ problems }) => problems.length === 0).length),
    seconds.toFixed(1),
  ];
}

function keysOf(verdicts: readonly Verdict[]): number {
  return new Set(verdicts.map(nameOf)).size;
}

export function nameOf({ strategy, fault, key }: Case): string {
  return `${strategy}, ${fault}: ${key}`;
}
