import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import os from 'node:os';
import { exampleModelUri, sampleRequest } from '../test/support/example-models.ts';
import { RuntimeProcess } from '../test/support/runtime-process.ts';
import { HttpClient } from './load/http-client.ts';
import { probe, type Probing } from './load/probe.ts';

/**
 * How soon a probe is answered while every core is busy with the model, clients ask without a pause, and the model is
 * loaded again and again because its process is killed: what the kubelet sees of an overloaded pod.
 */

const PROBES_PER_SECOND = 100;
const CLIENTS = 32;
const KILL_EVERY_MS = 3000;

function probeFromThread(probing: Probing): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: probing });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

/** Every process that runs the model, once it has been there for a while: the pauses before restarts grow. */
function killAgainAndAgain(runtime: RuntimeProcess): NodeJS.Timeout {
  let killed: number | undefined;
  return setInterval(() => {
    const { executorProcessId } = runtime;
    if (executorProcessId === killed) return;
    process.kill(executorProcessId, 'SIGKILL');
    killed = executorProcessId;
  }, KILL_EVERY_MS);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
  const seconds = Number(values.seconds);
  const runtime = await RuntimeProcess.start({ HEADGATE_MODEL_URI: exampleModelUri('slow.onnx') });
  const path = '/v2/health/live';
  const probes = Promise.all([
    probeFromThread({ port: runtime.port, path, perSecond: PROBES_PER_SECOND, seconds }),
    probeFromThread({
      ...{ port: runtime.managementPort, path: '/livez', perSecond: PROBES_PER_SECOND, seconds },
    }),
  ]);
  // The clients share this machine with the server and would crowd out the kubelet's part, which runs by now.
  os.setPriority(10);
  const clients = Array.from(
    { length: CLIENTS },
    () => new HttpClient(runtime.port, '/v2/models/tumour/infer', sampleRequest),
  );
  let isOver = false;
  const load = clients.map(async (client) => {
    while (!isOver) await client.ask();
  });
  const killer = killAgainAndAgain(runtime);
  const [data, management] = await probes;
  clearInterval(killer);
  isOver = true;
  await Promise.all(load);
  for (const client of clients) client.close();
  await runtime.stop();
  for (const [name, latencies] of Object.entries({ [path]: data, '/livez': management })) {
    const sorted = latencies.toSorted((left, right) => left - right);
    const quantile = (share: number): string =>
      (sorted[Math.ceil(share * sorted.length) - 1] ?? NaN).toFixed(2);
    console.log(
      `${name.padEnd(18)}${sorted.length} probes: p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms, longest ${quantile(1)} ms`,
    );
  }
}

if (isMainThread) await main();
else parentPort?.postMessage(await probe(workerData as Probing));
