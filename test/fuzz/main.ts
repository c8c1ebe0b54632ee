import { parseArgs } from 'node:util';
import { fuzzOnnx, type OnnxFuzzReport } from './onnx-fuzz.ts';
import { fuzzRuntime, type RuntimeFuzzReport } from './runtime-fuzz.ts';

/** `make fuzz`: a million requests and a hundred thousand model files that are almost right. */

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '750000' },
    'grpc-requests': { type: 'string', default: '250000' },
    files: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
const seed = Number(values.seed);

const MOST_LATENCY_RATIO = 2;
const MOST_MEMORY_RATIO = 1.5;

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

/** Sentences of what must not be; none when all is well. */
function problemsOf(report: RuntimeFuzzReport): string[] {
  const { ordinary, attacked, residentBefore, residentAfter } = report;
  return [
    ...report.faults.map((fault) => `an answer that no client may see: ${fault}`),
    ...report.serverErrors.map((line) => `an error in the server's log: ${line}`),
    ...(report.executorRestarts > 0 ? [`the executor was restarted ${report.executorRestarts} times`] : []),
    ...(attacked.failed > 0 ? [`${attacked.failed} good requests failed`] : []),
    ...(attacked.p99Ms > MOST_LATENCY_RATIO * ordinary.p99Ms
      ? ['the p99 of good requests more than doubled']
      : []),
    ...(residentAfter > MOST_MEMORY_RATIO * residentBefore ? ['the memory grew by more than half'] : []),
  ];
}

function tellRequests(report: RuntimeFuzzReport): void {
  const { ordinary, attacked, residentBefore, residentAfter, replies, statuses, seconds } = report;
  console.log(`in ${seconds.toFixed(0)} s, over HTTP: ${JSON.stringify(replies)}`);
  console.log(`over gRPC: ${JSON.stringify(statuses)}`);
  console.log(
    `good requests: p99 ${ordinary.p99Ms.toFixed(1)} ms beside good traffic, ${attacked.p99Ms.toFixed(1)} ms beside mutated; ${attacked.answered} answered, ${attacked.failed} failed`,
  );
  console.log(
    `memory of the serving process: ${mebibytes(residentBefore)}, then ${mebibytes(residentAfter)}`,
  );
}

function tellFiles({ loaded, refused, silent, deadly, deaths }: OnnxFuzzReport): void {
  console.log(
    `model files: ${loaded} loaded, ${refused} refused, ${silent} without words, ${deadly.length} ended the process of the model ${JSON.stringify(deaths)}`,
  );
}

console.log(`seed ${seed}`);
const requests = Number(values.requests);
const ordinaryRequests = Math.max(4000, Math.floor(requests / 5));
const grpcRequests = Number(values['grpc-requests']);
const report = await fuzzRuntime({ seed, requests, grpcRequests, ordinaryRequests });
tellRequests(report);
const onnxReport = await fuzzOnnx({ seed, files: Number(values.files), processes: 2 });
tellFiles(onnxReport);
const problems = [
  ...problemsOf(report),
  ...(onnxReport.silent > 0 ? ['a refusal of a model says nothing'] : []),
];
for (const problem of problems) console.error(`✗ ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;
