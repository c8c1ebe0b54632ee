import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { repository } from '../test/bed/layout.ts';
import { run } from '../test/bed/shell.ts';
import { contenders } from './contender/index.ts';
import type { Contender } from './contender/contender.ts';
import { RunningContender } from './contender/running.ts';
import { benchModels, type BenchModel } from './models/models.ts';
import { BareSession } from './models/session.ts';
import { plans, type RacePlan } from './race/plan.ts';
import { raceModel, type Entrant, type Surroundings } from './race/race.ts';
import { reportModel } from './race/report.ts';
import type { RaceResult } from './race/results.ts';
import { differenceOf } from './race/verify.ts';
import type { Outputs, WireName } from './wire/wire.ts';

/**
 * Headgate's runtime and its peers with the same models, on the same core of one machine, in turns. This process makes
 * the load, on a core of its own (`taskset` in the Makefile), the same way for all; docs/benchmarks.md has the rest.
 */

const { values: options } = parseArgs({
  options: {
    plan: { type: 'string', default: 'quick' },
    models: { type: 'string', default: benchModels.map(({ name }) => name).join(',') },
    servers: { type: 'string', default: contenders.map(({ name }) => name).join(',') },
    'server-cpus': { type: 'string', default: '0' },
    output: { type: 'string' },
  },
});

function readPlan(name: string): RacePlan {
  if (name === 'quick' || name === 'full') return plans[name];
  throw new Error(`expected --plan quick or full, got '${name}'`);
}

function chosen<Item extends { readonly name: string }>(items: readonly Item[], names: string): Item[] {
  return names.split(',').map((name) => {
    const item = items.find((candidate) => candidate.name === name);
    if (item === undefined)
      throw new Error(`expected one of ${items.map(({ name: known }) => known).join(', ')}, got '${name}'`);
    return item;
  });
}

const race: RaceResult = { bare: [], results: [], absences: [] };
const surroundings: Surroundings = {
  plan: readPlan(options.plan),
  serverCpus: options['server-cpus'],
  progress: (text) => console.error(text),
};

/** A server that answers wrongly is not measured. */
async function verifiedWires(
  running: RunningContender,
  model: BenchModel,
  reference: Outputs,
): Promise<Set<WireName>> {
  const verified = new Set<WireName>();
  for (const wire of running.wireNames) {
    const reason = await running
      .answer(wire)
      .then((answer) => differenceOf(answer, reference))
      .catch((error: unknown) => (error as Error).message);
    if (reason === undefined) verified.add(wire);
    else race.absences.push({ model: model.name, contender: running.name, wire, reason });
  }
  return verified;
}

async function enter(
  contender: Contender,
  model: BenchModel,
  reference: Outputs,
): Promise<Entrant | undefined> {
  const { name } = contender;
  surroundings.progress(`${model.name}: starting ${name}`);
  try {
    if (!existsSync(contender.program)) throw new Error('it is not installed');
    const running = await RunningContender.start(contender, model, surroundings.serverCpus);
    const wires = await verifiedWires(running, model, reference);
    running.pause();
    const { firstAnswerMs, memoryAtRestMib } = running;
    const figures = { model: model.name, contender: name, firstAnswerMs, memoryAtRestMib };
    const result = { ...figures, closed: [], equal: [], overload: [], probesMs: [] };
    race.results.push(result);
    return { running, result, wires };
  } catch (error) {
    race.absences.push({
      model: model.name,
      contender: name,
      wire: undefined,
      reason: (error as Error).message,
    });
    return undefined;
  }
}

async function benchmark(model: BenchModel): Promise<void> {
  const reference = await (await BareSession.open(model)).run();
  const entrants: Entrant[] = [];
  try {
    for (const contender of chosen(contenders, options.servers)) {
      const entrant = await enter(contender, model, reference);
      if (entrant !== undefined) entrants.push(entrant);
    }
    await raceModel(model, entrants, race, surroundings);
  } catch (error) {
    // What was measured until then is told all the same.
    console.error(error);
    process.exitCode = 1;
  } finally {
    await Promise.all(entrants.map(({ running }) => running.stop()));
  }
  console.log(reportModel(model.name, model.about, race));
}

// As in the image: Node's own stripping of types would be measured too.
await run('tsc', ['-p', `${repository}/tsconfig.build.json`]);
console.log(`${cpus().length} cores; servers on ${surroundings.serverCpus}; plan '${options.plan}'`);
for (const model of chosen(benchModels, options.models)) await benchmark(model);
if (options.output !== undefined) {
  const commit = (await run('git', ['-C', repository, 'rev-parse', '--short', 'HEAD'])).trim();
  const machine = { cores: cpus().length, node: process.version, commit };
  await writeFile(options.output, JSON.stringify({ machine, plan: surroundings.plan, ...race }, null, 1));
}
