import { parseArgs } from 'node:util';
import { Dice } from '../test/support/dice.ts';
import { headgateOf } from './contender/headgate.ts';
import { RunningContender } from './contender/running.ts';
import type { Client } from './load/client.ts';
import { openLoop, type OpenLoopResult } from './load/open-loop.ts';
import { measure, median } from './measure.ts';
import { benchModelNamed } from './models/models.ts';
import { alone } from './race/alone.ts';
import { DEADLINE_MS } from './race/plan.ts';
import type { Wire, WireName } from './wire/wire.ts';

/**
 * What Headgate does with more than it can answer: its capacity in a closed loop, then open loops at multiples of it.
 * Several builds (`--builds dist,../other/dist`) take turns, round by round, so that a busy machine is one for all.
 */

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'image' },
    wire: { type: 'string', default: 'JSON' },
    builds: { type: 'string', default: 'dist' },
    multiples: { type: 'string', default: '1,2,3' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string' },
    'server-cpus': { type: 'string', default: '0' },
  },
});

const CLIENTS = 32;
const WARM_UP_MS = 4000;
const CAPACITY_MS = 2000;
const SETTLE_MS = 500;
const PROBES_PER_SECOND = 5;
const SEED = 7;
const CELL_WIDTH = 12;

interface Round {
  readonly build: string;
  readonly multiple: number;
  readonly perSecond: number;
  readonly result: OpenLoopResult;
  readonly probeMs: number;
  /** Of one core, in all of the server's processes: less than one and something else had it, or nothing was to do. */
  readonly cpuShare: number;
}

const model = benchModelNamed(options.model);
const wireName = options.wire as WireName;
const multiples = options.multiples.split(',').map(Number);
const seconds = Number(options.seconds);

function startBuild(build: string): Promise<RunningContender> {
  return RunningContender.start(headgateOf({ build }), model, options['server-cpus']);
}

/** Answers per second; what is refused because of the load before counts for nothing. */
async function capacityOf(running: RunningContender, durationMs: number): Promise<number> {
  const wire = running.wire(wireName) as Wire;
  const clients = Array.from({ length: CLIENTS }, () => running.connect(wireName, wire));
  let answers = 0;
  const ask = async (client: Client): Promise<void> => {
    if ((await client.ask()) === 200) answers++;
  };
  const loops = clients.map((client) => () => ask(client));
  try {
    await measure(loops, SETTLE_MS);
    answers = 0;
    const startedAtMs = performance.now();
    await measure(loops, durationMs);
    return (answers / (performance.now() - startedAtMs)) * 1000;
  } finally {
    for (const client of clients) client.close();
  }
}

async function offer(
  running: RunningContender,
  perSecond: number,
): Promise<Omit<Round, 'build' | 'multiple'>> {
  const wire = running.wire(wireName, DEADLINE_MS * 1000) as Wire;
  const connect = (): Client => running.connect(wireName, wire);
  const most = options.connections === undefined ? {} : { mostConnections: Number(options.connections) };
  const load = { perSecond, durationMs: seconds * 1000, deadlineMs: DEADLINE_MS, ...most };
  const [startedAtMs, before] = [performance.now(), running.cpuMs()];
  const [result, probesMs] = await Promise.all([
    openLoop(connect, load, new Dice(SEED)),
    running.probe(PROBES_PER_SECOND, seconds),
  ]);
  const cpuShare = (running.cpuMs() - before) / (performance.now() - startedAtMs);
  return { perSecond, result, probeMs: Math.max(...probesMs), cpuShare };
}

function line(cells: readonly (string | number)[]): string {
  const [name = '', ...rest] = cells;
  return (
    String(name).padEnd(28) +
    rest
      .map((cell) =>
        String(cell)
          .slice(0, CELL_WIDTH - 1)
          .padStart(CELL_WIDTH),
      )
      .join('')
  );
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function tell({ build, multiple, perSecond, result, probeMs, cpuShare }: Round): string {
  const { offered, inTime, late, sentInTime, sentLate, refused, failed, p50Ms, p99Ms } = result;
  const share = (inTime / offered) * multiple;
  return line([
    `${build} ${multiple}×`,
    perSecond.toFixed(0),
    share.toFixed(2),
    percent(inTime / Math.max(1, inTime + late)),
    percent(sentInTime / Math.max(1, sentInTime + sentLate)),
    ...[offered, inTime, late, refused, failed],
    ...[p50Ms, p99Ms, probeMs].map((ms) => ms.toFixed(0)),
    cpuShare.toFixed(2),
  ]);
}

const builds = [...new Set(options.builds.split(','))];
const rounds: Round[] = [];
const running = new Map<string, RunningContender>();
try {
  for (const build of builds) {
    const server = await startBuild(build);
    running.set(build, server);
    await capacityOf(server, WARM_UP_MS);
    server.pause();
  }
  console.log(
    line(
      'build,offered/s,of capacity,of accepted,of sent,offered,in time,late,refused,failed,p50,p99,probe max,cpu'.split(
        ',',
      ),
    ),
  );
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [build, server] of running) {
      await alone(server, async () => {
        const capacity = await capacityOf(server, CAPACITY_MS);
        for (const multiple of multiples) {
          const measured = { build, multiple, ...(await offer(server, capacity * multiple)) };
          rounds.push(measured);
          console.log(tell(measured));
        }
      });
    }
  }
  for (const build of builds) {
    for (const multiple of multiples) {
      const own = rounds.filter((round) => round.build === build && round.multiple === multiple);
      const inTime = median(own.map(({ result }) => (result.inTime / result.offered) * multiple));
      const kept = median(own.map(({ result: { inTime, late } }) => inTime / Math.max(1, inTime + late)));
      const capacity = median(own.map(({ perSecond }) => perSecond / multiple));
      console.log(
        `${build}: ${model.name} ${wireName}, capacity ${capacity.toFixed(0)}, at ${multiple}×: ${inTime.toFixed(2)} of the capacity, ${percent(kept)} of the accepted in time (medians of ${own.length})`,
      );
    }
  }
} finally {
  for (const server of running.values()) await server.stop();
}
