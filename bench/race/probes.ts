import { setTimeout as pause } from 'node:timers/promises';
import type { RunningContender } from '../contender/running.ts';
import { measure } from '../measure.ts';
import type { Wire } from '../wire/wire.ts';
import { alone } from './alone.ts';
import type { RacePlan } from './plan.ts';
import type { Entrant } from './race.ts';

const CLIENTS = 32;
const PROBE_EVERY_MS = 20;

/** Milliseconds that the server took for each of its probes while so many clients asked without a pause. */
async function probeBusy(running: RunningContender, { warmUpMs, openLoopMs }: RacePlan): Promise<number[]> {
  const wire = running.wire('JSON') as Wire;
  const clients = Array.from({ length: CLIENTS }, () => running.connect('JSON', wire));
  const loops = clients.map((client) => () => client.ask());
  const latenciesMs: number[] = [];
  try {
    await measure(loops, warmUpMs);
    const busy = measure(loops, openLoopMs);
    const untilMs = performance.now() + openLoopMs;
    while (performance.now() < untilMs) {
      const askedAtMs = performance.now();
      const status = await running.probe();
      if (status !== 200) throw new Error(`a probe was answered with ${status}`);
      latenciesMs.push(performance.now() - askedAtMs);
      await pause(PROBE_EVERY_MS);
    }
    await busy;
    return latenciesMs;
  } finally {
    for (const client of clients) client.close();
  }
}

/** What the kubelet sees of each server while it is busy. */
export async function raceProbes(entrants: readonly Entrant[], plan: RacePlan): Promise<void> {
  for (let round = 0; round < plan.openRounds; round++) {
    for (const { running, result } of entrants) {
      result.probesMs.push(...(await alone(running, () => probeBusy(running, plan))));
    }
  }
}
