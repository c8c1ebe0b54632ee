import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { buildConvolutionModel } from '../test/support/convolution-model.ts';
import { exampleModelUri, sampleRequest } from '../test/support/example-models.ts';
import { RuntimeProcess } from '../test/support/runtime-process.ts';
import { HttpClient } from './load/http-client.ts';
import { measure, median, medianOf, type Measured } from './measure.ts';

/**
 * What batching gains, and that it costs nothing where it gains nothing: the same server with batches of up to 32 and
 * without, in turns, for a model of each kind.
 */

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '0.5' },
    clients: { type: 'string', default: '1,8,32' },
  },
});
const rounds = Number(options.rounds);
const roundMs = Number(options.seconds) * 1000;
const clientCounts = options.clients.split(',').map(Number);
const IMAGE_SIZE = 64;

const folder = mkdtempSync(path.join(tmpdir(), 'headgate-bench-'));
const convolution = path.join(folder, 'convolution.onnx');
writeFileSync(convolution, buildConvolutionModel(IMAGE_SIZE));

const models = [
  { about: 'v1.onnx, tiny: a batch costs what one costs, next to nothing', uri: exampleModelUri('v1.onnx') },
  { about: 'slow.onnx: a batch costs what one costs, some milliseconds', uri: exampleModelUri('slow.onnx') },
  {
    about: 'a convolution: a batch costs what its rows cost one by one',
    uri: pathToFileURL(convolution).href,
  },
] as const;

interface Contender {
  readonly runtime: RuntimeProcess;
  readonly clients: readonly HttpClient[];
}

async function start(uri: string, maxBatchSize: number): Promise<Contender> {
  const runtime = await RuntimeProcess.start({
    HEADGATE_MODEL_URI: uri,
    HEADGATE_MODEL_NAME: 'bench',
    HEADGATE_THREADS: '1',
    HEADGATE_BATCH_MAX_SIZE: String(maxBatchSize),
  });
  const clients = Array.from(
    { length: Math.max(...clientCounts) },
    () => new HttpClient(runtime.port, '/v2/models/bench/infer', sampleRequest),
  );
  return { runtime, clients };
}

interface Result {
  readonly alone: Measured;
  readonly batched: Measured;
  /** Of rounds next to each other, so that a machine that is busy for a while spoils none. */
  readonly gain: number;
}

/** The first round warms up and is thrown away. */
async function race(contenders: readonly Contender[], clientCount: number): Promise<Result> {
  const figures = contenders.map((): Measured[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, { clients }] of contenders.entries()) {
      const loops = clients.slice(0, clientCount).map((client) => async (): Promise<void> => {
        const status = await client.ask();
        if (status !== 200) throw new Error(`the runtime answered ${status}`);
      });
      const measured = await measure(loops, round === 0 ? roundMs / 4 : roundMs);
      if (round > 0) figures[index]?.push(measured);
    }
  }
  const [alone = [], batched = []] = figures;
  const gains = batched.map(({ perSecond }, round) => perSecond / (alone[round]?.perSecond ?? NaN));
  return { alone: medianOf(alone), batched: medianOf(batched), gain: median(gains) };
}

function row(cells: readonly (string | number)[]): string {
  const [name = '', ...numbers] = cells;
  return String(name).padEnd(14) + numbers.map((cell) => String(cell).padStart(14)).join('');
}

async function benchmark(uri: string): Promise<void> {
  const contenders = [await start(uri, 1), await start(uri, 32)];
  console.log(row(['', 'alone/s', 'batched/s', 'gain', 'alone p99 ms', 'batched p99']));
  for (const clientCount of clientCounts) {
    const { alone, batched, gain } = await race(contenders, clientCount);
    const rates = [Math.round(alone.perSecond), Math.round(batched.perSecond), gain.toFixed(2)];
    console.log(row([`${clientCount} clients`, ...rates, alone.p99Ms.toFixed(2), batched.p99Ms.toFixed(2)]));
  }
  for (const { clients, runtime } of contenders) {
    for (const client of clients) client.close();
    await runtime.stop();
  }
}

for (const { about, uri } of models) {
  console.log(`\n${about}; ${rounds} rounds in turns, medians`);
  await benchmark(uri);
}
rmSync(folder, { recursive: true });
