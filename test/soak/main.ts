import { parseArgs } from 'node:util';
import { soak, type Sample, type SoakReport } from './soak.ts';

/** A million watch events, every fault that an API server and a network know, and the figures of it. */
const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});

const LONGEST_NOTICE_MS = 45_000;
/** The first quarter fills buffers and caches of the engine; after it, nothing may grow by more. */
const WARM_UP = 0.25;
const LARGEST_GROWTH_MIB = 10;
const MOST_DESCRIPTORS_MORE = 10;

interface Verdict {
  readonly name: string;
  readonly figure: string;
  readonly holds: boolean;
}

function print(name: string, figure: string | number): void {
  console.log(`${name.padEnd(56)}${String(figure).padStart(22)}`);
}

function growth(samples: readonly Sample[], figure: (sample: Sample) => number): number {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP)).map(figure);
  const half = Math.floor(warm.length / 2);
  const mean = (figures: readonly number[]): number =>
    figures.reduce((sum, each) => sum + each, 0) / figures.length;
  return mean(warm.slice(half)) - mean(warm.slice(0, half));
}

function verdicts({ samples, problems, servers }: SoakReport): readonly Verdict[] {
  const heap = growth(samples, ({ heapMib }) => heapMib);
  const rss = growth(samples, ({ rssMib }) => rssMib);
  const descriptors = growth(samples, (sample) => sample.descriptors);
  const noticeMs = Math.max(...servers.map(({ longestNoticeMs }) => longestNoticeMs));
  const mib = (figure: number): string => `${figure.toFixed(1)} MiB`;
  return [
    { name: 'missed or wrong', figure: String(problems.length), holds: problems.length === 0 },
    {
      name: 'longest time until a dead watch was noticed',
      figure: `${(noticeMs / 1000).toFixed(1)} s`,
      holds: noticeMs <= LONGEST_NOTICE_MS,
    },
    { name: 'heap, second half against first', figure: mib(heap), holds: heap <= LARGEST_GROWTH_MIB },
    {
      name: 'resident memory, second half against first',
      figure: mib(rss),
      holds: rss <= LARGEST_GROWTH_MIB,
    },
    {
      name: 'descriptors, second half against first',
      figure: descriptors.toFixed(1),
      holds: descriptors <= MOST_DESCRIPTORS_MORE,
    },
  ];
}

function printReport(report: SoakReport): void {
  const { servers, samples, seconds } = report;
  const sum = (figure: (server: (typeof servers)[number]) => number): number =>
    servers.reduce((total, server) => total + figure(server), 0);
  print(
    'events sent on watches',
    sum(({ eventsSent }) => eventsSent),
  );
  print('changes told', report.changesTold);
  print('seconds', seconds.toFixed(0));
  print('watches / lists', `${sum(({ watches }) => watches)} / ${sum(({ lists }) => lists)}`);
  print('restores / taken over after a while', `${sum(({ restores }) => restores)} / ${report.takenOver}`);
  const faults = [...new Set(servers.flatMap((server) => Object.keys(server.faults)))].sort();
  for (const fault of faults) {
    print(
      `  ${fault}`,
      sum((server) => (server.faults as Readonly<Record<string, number>>)[fault] ?? 0),
    );
  }
  print('  half open, with the timing of production', servers.at(-1)?.halfOpen ?? 0);
  const last = samples.at(-1);
  if (last !== undefined) {
    print('at the end: resident / heap', `${last.rssMib.toFixed(0)} / ${last.heapMib.toFixed(0)} MiB`);
    print('at the end: descriptors', last.descriptors);
  }
}

/** Where it is, for whoever waits. */
function printProgress({ events, rssMib, heapMib, descriptors }: Sample): void {
  const memory = `${rssMib.toFixed(0)} / ${heapMib.toFixed(1)} MiB`;
  console.log(`${String(events).padStart(9)} events, resident / heap ${memory}, ${descriptors} descriptors`);
}

const seed = Number(values.seed);
print('seed', seed);
const report = await soak(
  {
    ...{ seed, events: Number(values.events), kinds: 3, names: 2_000 },
    ...{ eventsPerFault: 800, changesPerRestore: 40_000, halfOpenInRealTime: 3, checkpoints: 20 },
  },
  printProgress,
);
printReport(report);
for (const { name, figure, holds } of verdicts(report)) {
  print(name, `${figure} ${holds ? 'holds' : 'FAILS'}`);
  if (!holds) process.exitCode = 1;
}
for (const problem of report.problems) console.log(problem);
