import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import {
  exampleModelPath,
  exampleModelUri,
  readSampleRow,
  sampleRequest,
} from '../test/support/example-models.ts';
import { RuntimeProcess } from '../test/support/runtime-process.ts';
import { GrpcBenchClient, inferMessage } from './grpc-client.ts';
import { HttpClient } from './load/http-client.ts';
import { measure, medianOf, type Measured } from './measure.ts';

/**
 * What the runtime costs over ONNX Runtime itself: the same model and the same row, in a bare loop of session.run() in
 * this process, over HTTP as JSON and over gRPC as raw contents, in turns, so that a busy machine slows both alike.
 */

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '1' },
  },
});
const rounds = Number(options.rounds);
const roundMs = Number(options.seconds) * 1000;
const MANY_CLIENTS = 16;

const models = [
  { name: 'v1', about: 'a tiny model: all that is measured is what the runtime adds' },
  { name: 'slow', about: 'a model with work to do: what the runtime adds is a small part' },
] as const;

interface Contender {
  readonly name: string;
  readonly loops: readonly (() => Promise<void>)[];
}

async function bareContender(model: string): Promise<Contender> {
  const session = await InferenceSession.create(exampleModelPath(`${model}.onnx`), {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  const feeds = { X: new Tensor('float32', Float32Array.from(readSampleRow()), [1, 30]) };
  const run = async (): Promise<void> => {
    await session.run(feeds);
  };
  return { name: 'bare session.run', loops: [run] };
}

function serverContender(
  protocol: string,
  clients: readonly { readonly ask: () => Promise<number> }[],
): Contender {
  const loops = clients.map((client) => async (): Promise<void> => {
    const status = await client.ask();
    if (status !== 200) throw new Error(`the runtime answered ${status}`);
  });
  return { name: `${protocol}, ${clients.length} client${clients.length === 1 ? '' : 's'}`, loops };
}

/** One figure per contender and round; the round before the first warms everything up and is thrown away. */
async function race(contenders: readonly Contender[]): Promise<Measured[]> {
  const figures = contenders.map((): Measured[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, { loops }] of contenders.entries()) {
      const measured = await measure(loops, round === 0 ? roundMs / 4 : roundMs);
      if (round > 0) figures[index]?.push(measured);
    }
  }
  return figures.map(medianOf);
}

function row(cells: readonly (string | number)[]): string {
  const [name = '', ...numbers] = cells;
  return String(name).padEnd(22) + numbers.map((cell) => String(cell).padStart(13)).join('');
}

function report(contenders: readonly Contender[], results: readonly Measured[]): void {
  const bare = results[0];
  console.log(row(['', 'requests/s', 'p50 ms', 'p99 ms', 'rate/bare', 'added p50 ms']));
  for (const [index, { name, loops }] of contenders.entries()) {
    const result = results[index];
    if (bare === undefined || result === undefined) throw new Error('every contender has a result');
    const { perSecond, p50Ms, p99Ms } = result;
    const ratio = (perSecond / bare.perSecond).toFixed(2);
    // Side by side they wait for each other: only a single client tells what one request costs.
    const added = loops.length === 1 ? (p50Ms - bare.p50Ms).toFixed(3) : '';
    console.log(row([name, Math.round(perSecond), p50Ms.toFixed(3), p99Ms.toFixed(3), ratio, added]));
  }
}

async function benchmark(model: string): Promise<void> {
  const runtime = await RuntimeProcess.start({
    HEADGATE_MODEL_URI: exampleModelUri(`${model}.onnx`),
    HEADGATE_MODEL_NAME: 'bench',
    HEADGATE_THREADS: '1',
  });
  const clients = Array.from(
    { length: MANY_CLIENTS },
    () => new HttpClient(runtime.port, '/v2/models/bench/infer', sampleRequest),
  );
  const message = inferMessage('bench', readSampleRow());
  const grpcClients = Array.from(
    { length: MANY_CLIENTS },
    () => new GrpcBenchClient(runtime.grpcPort, message),
  );
  try {
    const contenders = [
      await bareContender(model),
      serverContender('runtime', clients.slice(0, 1)),
      serverContender('runtime', clients),
      serverContender('gRPC', grpcClients.slice(0, 1)),
      serverContender('gRPC', grpcClients),
    ];
    report(contenders, await race(contenders));
  } finally {
    for (const client of [...clients, ...grpcClients]) client.close();
    await runtime.stop();
  }
}

for (const { name, about } of models) {
  console.log(`\n${name}.onnx, ${about}; ${rounds} rounds in turns, medians`);
  await benchmark(name);
}
