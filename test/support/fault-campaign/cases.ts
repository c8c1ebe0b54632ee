import type { StrategyName } from '../../../operator/strategies/index.ts';
import { crashFaults, eventFaults, isOne, writeFaults, type Case } from './faults.ts';

/** What an undisturbed rollout of one strategy writes and hears, recorded more than once. */
export interface Recording {
  readonly strategy: StrategyName;
  readonly writes: readonly Key[];
  readonly events: readonly Key[];
}

export interface Key {
  readonly name: string;
  /** How far into the rollout. */
  readonly atMs: number;
  /** Whether every one of the recorded rollouts had it: one that did not may be missed by a disturbed one too. */
  readonly isSure: boolean;
}

/** Joins what several rollouts had, in the order of the first that had it. */
export function joinKeys(
  runs: readonly (readonly { readonly name: string; readonly atMs: number }[])[],
): readonly Key[] {
  const keys = new Map<string, Key>();
  for (const { name, atMs } of runs.flat()) {
    if (keys.has(name)) continue;
    const isSure = runs.every((run) => run.some((entry) => entry.name === name));
    keys.set(name, { name, atMs, isSure });
  }
  return [...keys.values()].sort((left, right) => left.atMs - right.atMs);
}

/** Every write with every fault of a write, every event with every fault of an event. */
export function wholeCampaign({ strategy, writes, events }: Recording): readonly Case[] {
  const of = (keys: readonly Key[], faults: readonly Case['fault'][]): readonly Case[] =>
    keys.flatMap(({ name: key }) => faults.map((fault) => ({ strategy, fault, key })));
  return [...of(writes, [...crashFaults, ...writeFaults]), ...of(events, eventFaults)];
}

/**
 * One of each fault, at a write or an event that every rollout has; `dice` says which. All crashes are at one place, so
 * that one death of the operator serves several rollouts.
 */
export function sampleOf(
  recording: Recording,
  { dice, crashAt }: { readonly dice: () => number; readonly crashAt: number },
): readonly Case[] {
  const sure = {
    ...recording,
    writes: recording.writes.filter(({ isSure }) => isSure),
    events: recording.events.filter(({ isSure }) => isSure),
  };
  const byFault = Map.groupBy(wholeCampaign(sure), ({ fault }) => fault);
  return [...byFault].flatMap(([fault, cases]) => {
    const place = isOne(crashFaults, fault) ? crashAt : dice();
    return cases[Math.floor(place * cases.length)] ?? [];
  });
}

/** In another order, the same for the same dice: what runs side by side is then mixed. */
export function shuffled<Value>(values: readonly Value[], dice: () => number): readonly Value[] {
  return values
    .map((value) => ({ value, rank: dice() }))
    .sort((left, right) => left.rank - right.rank)
    .map(({ value }) => value);
}
