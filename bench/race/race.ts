import { Dice } from '../../test/support/dice.ts';
import { BareLoop } from '../contender/bare-loop.ts';
import type { RunningContender } from '../contender/running.ts';
import type { Client } from '../load/client.ts';
import { openLoop, type OpenLoopResult } from '../load/open-loop.ts';
import { measure, medianOf, type Measured } from '../measure.ts';
import type { BenchModel } from '../models/models.ts';
import type { Wire, WireName } from '../wire/wire.ts';
import { alone } from './alone.ts';
import { DEADLINE_MS, type RacePlan } from './plan.ts';
import { raceProbes } from './probes.ts';
import type { ClosedResult, ModelResult, OpenResult, RaceResult } from './results.ts';

const wireNames = ['JSON', 'binary', 'gRPC'] as const satisfies readonly WireName[];
const SEED = 7;
const WARM_UP_CLIENTS = 8;

/** A server in the race with what was measured of it so far. */
export interface Entrant {
  readonly running: RunningContender;
  readonly result: ModelResult;
  /** Those that gave the right answer. */
  readonly wires: ReadonlySet<WireName>;
}

export interface Surroundings {
  readonly plan: RacePlan;
  readonly serverCpus: string;
  readonly progress: (text: string) => void;
}

async function closedLoop(
  running: RunningContender,
  wireName: WireName,
  concurrency: number,
  plan: RacePlan,
): Promise<{ measured: Measured; cpuUs: number }> {
  const wire = running.wire(wireName) as Wire;
  const clients = Array.from({ length: concurrency }, () => running.connect(wireName, wire));
  const loops = clients.map((client) => async (): Promise<void> => {
    const status = await client.ask();
    if (status !== 200) throw new Error(`status ${status}: ${client.body.toString('utf8', 0, 200)}`);
  });
  try {
    await measure(loops, plan.warmUpMs);
    const before = running.cpuMs();
    const measured = await measure(loops, plan.roundMs);
    return { measured, cpuUs: ((running.cpuMs() - before) / measured.answers) * 1000 };
  } finally {
    for (const client of clients) client.close();
  }
}

async function warmUp(entrants: readonly Entrant[], plan: RacePlan): Promise<void> {
  const warm = { ...plan, warmUpMs: 0, roundMs: plan.firstWarmUpMs };
  for (const { running, wires } of entrants) {
    for (const wire of wires) {
      // What goes wrong here goes wrong again where it is counted.
      await alone(running, () => closedLoop(running, wire, WARM_UP_CLIENTS, warm)).catch(() => undefined);
    }
  }
}

async function raceClosed(
  entrants: readonly Entrant[],
  wire: WireName,
  concurrency: number,
  plan: RacePlan,
): Promise<void> {
  const lanes = entrants
    .filter(({ wires }) => wires.has(wire))
    .map(({ running, result }) => {
      const closed: ClosedResult = { wire, concurrency, rounds: [], cpuUs: [] };
      result.closed.push(closed);
      return { running, closed };
    });
  for (let turn = 0; turn < plan.rounds; turn++) {
    for (const { running, closed } of lanes) {
      if (closed.failure !== undefined) continue;
      try {
        const round = await alone(running, () => closedLoop(running, wire, concurrency, plan));
        closed.rounds.push(round.measured);
        closed.cpuUs.push(round.cpuUs);
      } catch (error) {
        closed.failure = (error as Error).message;
      }
    }
  }
}

async function offer(running: RunningContender, perSecond: number, plan: RacePlan): Promise<OpenLoopResult> {
  const wire = running.wire('JSON', DEADLINE_MS * 1000) as Wire;
  const connect = (): Client => running.connect('JSON', wire);
  const durationMs = Math.max(plan.openLoopMs, (plan.fewestRequests / perSecond) * 1000);
  const load = { perSecond, durationMs, deadlineMs: DEADLINE_MS };
  const warmUp = connect();
  // A server that is still busy with what it was offered before may close it; what it does then is counted below.
  await measure([() => warmUp.ask()], plan.warmUpMs).catch(() => undefined);
  warmUp.close();
  return await openLoop(connect, load, new Dice(SEED));
}

/** Requests per second in JSON, at the concurrency that suits the server best. */
export function capacityOf({ closed }: ModelResult): number {
  const rates = closed
    .filter(({ wire, rounds }) => wire === 'JSON' && rounds.length > 0)
    .map(({ rounds }) => medianOf(rounds).perSecond);
  return Math.max(0, ...rates);
}

async function raceOpen(
  entrants: readonly Entrant[],
  plan: RacePlan,
  laneOf: (result: ModelResult) => { readonly load: OpenResult; readonly list: OpenResult[] } | undefined,
): Promise<void> {
  const lanes = entrants.flatMap(({ running, result }) => {
    const lane = laneOf(result);
    lane?.list.push(lane.load);
    return lane === undefined ? [] : [{ running, load: lane.load }];
  });
  for (let round = 0; round < plan.openRounds; round++) {
    for (const { running, load } of lanes) {
      load.rounds.push(await alone(running, () => offer(running, load.perSecond, plan)));
    }
  }
}

async function raceBare(model: BenchModel, { plan, serverCpus }: Surroundings): Promise<Measured[]> {
  const bare = await BareLoop.start(model, serverCpus);
  try {
    await bare.measure(plan.warmUpMs);
    const rounds: Measured[] = [];
    for (let round = 0; round < plan.rounds; round++) rounds.push(await bare.measure(plan.roundMs));
    return rounds;
  } finally {
    bare.stop();
  }
}

/** Everything that is measured of one model. */
export async function raceModel(
  model: BenchModel,
  entrants: readonly Entrant[],
  race: RaceResult,
  surroundings: Surroundings,
): Promise<void> {
  const { plan, progress } = surroundings;
  progress(`${model.name}: bare session.run`);
  race.bare.push({ model: model.name, rounds: await raceBare(model, surroundings) });
  progress(`${model.name}: warming up`);
  await warmUp(entrants, plan);
  for (const wire of wireNames) {
    for (const concurrency of plan.concurrencies) {
      progress(`${model.name}: ${wire}, ${concurrency} clients`);
      await raceClosed(entrants, wire, concurrency, plan);
    }
  }
  const able = entrants.filter(({ result }) => capacityOf(result) > 0);
  const slowest = Math.min(...able.map(({ result }) => capacityOf(result)));
  progress(`${model.name}: the same ${Math.round(slowest / 2)} requests per second for all`);
  await raceOpen(able, plan, ({ equal }) => ({
    list: equal,
    load: { perSecond: slowest / 2, multiple: undefined, rounds: [] },
  }));
  progress(`${model.name}: probes`);
  await raceProbes(able, plan);
  for (const multiple of plan.overloads) {
    progress(`${model.name}: ${multiple} × the own capacity`);
    await raceOpen(able, plan, (result) => ({
      list: result.overload,
      load: { perSecond: capacityOf(result) * multiple, multiple, rounds: [] },
    }));
  }
}
