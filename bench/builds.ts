import { parseArgs } from 'node:util';
import { headgateOf } from './contender/headgate.ts';
import { RunningContender } from './contender/running.ts';
import { measure, median } from './measure.ts';
import { benchModelNamed } from './models/models.ts';
import { alone } from './race/alone.ts';
import type { WireName } from './wire/wire.ts';

/**
 * Whether a change makes the runtime faster: builds of it (`--builds dist,../other/dist`) answer the same load in turns,
 * round by round. Two processes of one build differ by up to a sixth, so each build is started several times.
 */

const { values: options } = parseArgs({
  options: {
    builds: { type: 'string', default: 'dist' },
    model: { type: 'string', default: 'tiny' },
    wire: { type: 'string', default: 'JSON' },
    clients: { type: 'string', default: '1' },
    starts: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '2' },
    'warm-up-seconds': { type: 'string', default: '5' },
    'server-cpus': { type: 'string', default: '0' },
  },
});

interface Figures {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of all processes of the server. */
  readonly cpuMsPerAnswer: number;
}

const model = benchModelNamed(options.model);
const wireName = options.wire as WireName;

async function load(running: RunningContender, seconds: number): Promise<Figures> {
  const wire = running.wire(wireName);
  if (wire === undefined) throw new Error(`expected --wire JSON, binary or gRPC, got '${wireName}'`);
  const clients = Array.from({ length: Number(options.clients) }, () => running.connect(wireName, wire));
  const before = running.cpuMs();
  const measured = await measure(
    clients.map((client) => () => client.ask()),
    seconds * 1000,
  );
  for (const client of clients) client.close();
  return { ...measured, cpuMsPerAnswer: (running.cpuMs() - before) / measured.answers };
}

/** Every build once, all of them alive and all but one standing still. */
async function race(
  builds: readonly string[],
  tell: (build: string, figures: Figures) => void,
): Promise<void> {
  const servers: [string, RunningContender][] = [];
  try {
    for (const build of builds) {
      const server = await RunningContender.start(headgateOf({ build }), model, options['server-cpus']);
      servers.push([build, server]);
      await load(server, Number(options['warm-up-seconds']));
      server.pause();
    }
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const [build, server] of servers) {
        tell(build, await alone(server, () => load(server, Number(options.seconds))));
      }
    }
  } finally {
    for (const [, server] of servers) await server.stop();
  }
}

function line(name: string, { perSecond, p50Ms, p99Ms, cpuMsPerAnswer }: Figures): string {
  const figures = [perSecond.toFixed(0), p50Ms.toFixed(2), p99Ms.toFixed(2), cpuMsPerAnswer.toFixed(3)];
  return name.padEnd(40) + figures.map((figure) => figure.padStart(10)).join('');
}

const builds = options.builds.split(',');
const all = new Map<string, Figures[]>(builds.map((build) => [build, []]));
console.log(
  ''.padEnd(40) + ['per s', 'p50 ms', 'p99 ms', 'cpu ms'].map((head) => head.padStart(10)).join(''),
);
for (let start = 0; start < Number(options.starts); start++) {
  // Who is first in one turn is last in the next: what a machine does slowly favours neither.
  await race(start % 2 === 0 ? builds : builds.toReversed(), (build, figures) => {
    all.get(build)?.push(figures);
    console.log(line(build, figures));
  });
}
console.log('medians');
for (const [build, figures] of all) {
  const medianOf = (key: keyof Figures): number => median(figures.map((figure) => figure[key]));
  console.log(
    line(build, {
      ...{ perSecond: medianOf('perSecond'), cpuMsPerAnswer: medianOf('cpuMsPerAnswer') },
      ...{ p50Ms: medianOf('p50Ms'), p99Ms: medianOf('p99Ms') },
    }),
  );
}
