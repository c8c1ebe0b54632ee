import type { RunningContender } from '../contender/running.ts';
import { measure } from '../measure.ts';
import type { Wire } from '../wire/wire.ts';
import { alone } from './alone.ts';
import type { RacePlan } from './plan.ts';
import type { Entrant } from './race.ts';

const CLIENTS = 32;
/** Few, as a kubelet's: many would be a load of their own, which a busy server only piles up. */
const PROBES_PER_SECOND = 5;
const SECONDS = 5;

/** Milliseconds that the server took for each of its probes while so many clients asked without a pause. */
async function probeBusy(running: RunningContender, { warmUpMs }: RacePlan): Promise<number[]> {
  const wire = running.wire('JSON') as Wire;
  const clients = Array.from({ length: CLIENTS }, () => running.connect('JSON', wire));
  const loops = clients.map((client) => () => client.ask());
  try {
    await measure(loops, warmUpMs);
    const [latenciesMs] = await Promise.all([
      running.probe(PROBES_PER_SECOND, SECONDS),
      measure(loops, SECONDS * 1000),
    ]);
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
