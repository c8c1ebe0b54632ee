import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { repository } from '../test/bed/layout.ts';
import { run } from '../test/bed/shell.ts';
import { headgateOf } from './contender/headgate.ts';
import { RunningContender } from './contender/running.ts';
import { measure } from './measure.ts';
import { benchModelNamed } from './models/models.ts';
import type { WireName } from './wire/wire.ts';

/** Where the time of Headgate's serving process goes under load: the functions with the largest share, callers apart. */

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'tiny' },
    wire: { type: 'string', default: 'JSON' },
    clients: { type: 'string', default: '32' },
    seconds: { type: 'string', default: '5' },
    lines: { type: 'string', default: '40' },
    'server-cpus': { type: 'string', default: '0' },
  },
});

const WARM_UP_MS = 1000;

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  /** Microseconds between one sample and the next. */
  readonly timeDeltas: readonly number[];
}

const IDLE = /\((?:idle|root)\)/u;

type Frame = CpuProfile['nodes'][number]['callFrame'];

function placeOf({ functionName, url, lineNumber }: Frame): string {
  return `${functionName || '(anonymous)'} ${url.replace(/^.*\/(?=dist\/|node_modules\/)/u, '')}:${lineNumber + 1}`;
}

/** A folder of the runtime, a package, or a module of Node; what is native stands for itself. */
function areaOf({ functionName, url }: Frame): string {
  const own = /dist\/runtime\/([^/]+)/u.exec(url)?.[1];
  if (own !== undefined) return `runtime/${own}`;
  return (
    /node_modules\/([^/]+)/u.exec(url)?.[1] ??
    /^node:(?:internal\/)?_?[a-z]+/u.exec(url)?.[0] ??
    `native: ${functionName}`
  );
}

/** The nodes that were seen within the last so many microseconds: the start and the warm-up are left out. */
function lastSamples({ samples, timeDeltas }: CpuProfile, lastUs: number): readonly number[] {
  let passedUs = 0;
  let first = samples.length;
  while (first > 0 && passedUs < lastUs) passedUs += timeDeltas[--first] ?? 0;
  return samples.slice(first);
}

/** Share of the samples by name, idle time left out. */
function sharesOf(
  { nodes }: CpuProfile,
  samples: readonly number[],
  nameOf: (frame: Frame) => string,
): [string, number][] {
  const places = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const busy = samples.map((id) => places.get(id) ?? '').filter((place) => !IDLE.test(place));
  const counts = new Map<string, number>();
  for (const place of busy) counts.set(place, (counts.get(place) ?? 0) + 1);
  return [...counts]
    .map(([place, count]): [string, number] => [place, count / busy.length])
    .sort(([, left], [, right]) => right - left);
}

const model = benchModelNamed(options.model);
await run('tsc', ['-p', `${repository}/tsconfig.build.json`]);
const folder = await mkdtemp(join(tmpdir(), 'headgate-profile-'));
const profiled = headgateOf({ nodeOptions: ['--cpu-prof', `--cpu-prof-dir=${folder}`] });
const running = await RunningContender.start(profiled, model, options['server-cpus']);
try {
  const wireName = options.wire as WireName;
  const wire = running.wire(wireName);
  if (wire === undefined) throw new Error(`expected --wire JSON, binary or gRPC, got '${options.wire}'`);
  const clients = Array.from({ length: Number(options.clients) }, () => running.connect(wireName, wire));
  const loops = clients.map((client) => () => client.ask());
  await measure(loops, WARM_UP_MS);
  const before = running.cpuMsByProcess();
  const { perSecond, answers } = await measure(loops, Number(options.seconds) * 1000);
  const costsUs = [...running.cpuMsByProcess()].map(
    ([pid, spentMs]) => ((spentMs - (before.get(pid) ?? 0)) / answers) * 1000,
  );
  for (const client of clients) client.close();
  console.log(`${Math.round(perSecond)} requests per second with the profiler`);
  console.log(`processor time per answer, by process: ${costsUs.map(Math.round).join(' + ')} µs`);
} finally {
  await running.stop();
}
const [file = ''] = await readdir(folder);
const profile = JSON.parse(await readFile(join(folder, file), 'utf8')) as CpuProfile;
await rm(folder, { recursive: true });
const samples = lastSamples(profile, Number(options.seconds) * 1_000_000);
for (const nameOf of [areaOf, placeOf]) {
  for (const [name, share] of sharesOf(profile, samples, nameOf).slice(0, Number(options.lines))) {
    console.log(`${(share * 100).toFixed(1).padStart(6)} %  ${name}`);
  }
  console.log();
}
