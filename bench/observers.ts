import { Counter, Histogram } from 'prom-client';
import type { InferRequest } from '../runtime/inference/inference.ts';
import type { Journey, JourneyObserver, Outcome } from '../runtime/inference/journey.ts';
import { Metrics } from '../runtime/metrics/metrics.ts';
import { Traffic } from '../runtime/metrics/traffic.ts';

/**
 * What watching costs: the time that each observer takes of the serving thread for one answered request, which a busy
 * machine spoils less than requests per second. A tiny model's request takes about 100 µs of that thread.
 */

const REQUESTS = 100_000;
const ROUNDS = 7;

const request: InferRequest = {
  id: undefined,
  parameters: new Map(),
  inputs: [
    { name: 'X', datatype: 'FP32', shape: [1, 30], data: Float32Array.from({ length: 30 }, Math.random) },
  ],
  outputs: undefined,
};
const outcome: Outcome = {
  kind: 'Answered',
  request,
  answer: {
    modelName: 'bench',
    modelVersion: '1',
    id: undefined,
    outputs: [
      { name: 'label', datatype: 'INT64', shape: [1], data: BigInt64Array.of(1n) },
      { name: 'probabilities', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(0.2, 0.8) },
    ],
  },
};

function journeyOf(number: number): Journey {
  return {
    requestId: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    protocol: 'rest',
    origin: 'User',
    deadlineAtMs: undefined,
    arrivedAtMs: performance.now(),
    header: () => undefined,
    parseMs: 0.02,
    queueMs: 0.01,
    computeMs: 0.1,
    serialiseMs: 0.02,
    batchRows: undefined,
    cache: undefined,
  };
}

/** prom-client as it comes, for comparison: a counter and five histograms with bound labels. */
function plainPromClient(): JourneyObserver {
  const labelNames = ['model', 'version', 'revision'];
  const labels = { model: 'bench', version: '1', revision: 'bench-1' };
  const counter = new Counter({
    name: 'requests',
    help: 'r',
    labelNames: [...labelNames, 'code'],
    registers: [],
  });
  const histograms = ['request', 'parse', 'queue', 'compute', 'serialise'].map((name) =>
    new Histogram({ name, help: name, labelNames, registers: [] }).labels(labels),
  );
  return {
    onEnd() {
      counter.inc({ ...labels, code: 200 });
      for (const histogram of histograms) histogram.observe(0.001);
    },
  };
}

const sources = { model: 'bench', revision: 'bench-1', latencyP95Ms: () => 0, queueDepth: () => 0 };
const observers: readonly (readonly [string, JourneyObserver])[] = [
  ['prom-client as it comes', plainPromClient()],
  ['traffic', new Traffic()],
  ['metrics', new Metrics(sources)],
];

function microsecondsOf(observer: JourneyObserver): number {
  const journeys = Array.from({ length: REQUESTS }, (_, number) => journeyOf(number));
  const before = process.cpuUsage();
  for (const journey of journeys) {
    observer.onArrival?.(journey);
    observer.onEnd(journey, outcome, journey.arrivedAtMs + 0.2);
  }
  return process.cpuUsage(before).user / REQUESTS;
}

for (const [name, observer] of observers) {
  const rounds = Array.from({ length: ROUNDS }, () => microsecondsOf(observer)).toSorted(
    (left, right) => left - right,
  );
  const median = rounds[Math.floor(ROUNDS / 2)] ?? NaN;
  console.log(`${name.padEnd(26)}${median.toFixed(2).padStart(8)} µs a request`);
}
