import { Counter, Histogram } from 'prom-client';
import { tmpdir } from 'node:os';
import { Drift } from '../runtime/drift/drift.ts';
import { Predictions } from '../runtime/drift/predictions.ts';
import { createLog } from '../runtime/log.ts';
import { Records } from '../runtime/records/records.ts';
import type { RecordContent } from '../runtime/records/settings.ts';
import type { InferRequest } from '../runtime/inference/inference.ts';
import type { Journey, JourneyObserver, Outcome } from '../runtime/inference/journey.ts';
import { readPrediction } from '../runtime/inference/prediction.ts';
import { Metrics } from '../runtime/metrics/metrics.ts';
import type { Tensor } from '../runtime/tensor/datatype.ts';
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
const outputs: readonly Tensor[] = [
  { name: 'label', datatype: 'INT64', shape: [1], data: BigInt64Array.of(1n) },
  { name: 'probabilities', datatype: 'FP32', shape: [1, 2], data: Float32Array.of(0.2, 0.8) },
];
const outcome: Outcome = {
  kind: 'Answered',
  request,
  answer: { modelName: 'bench', modelVersion: '1', id: undefined, outputs },
  prediction: readPrediction(outputs),
};

function journeyOf(number: number): Journey {
  return {
    requestId: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    protocol: 'rest',
    origin: 'User',
    isLaterInStream: false,
    deadlineAtMs: undefined,
    // Ten a millisecond, as under full load.
    arrivedAtMs: number / 10,
    header: () => undefined,
    parseMs: 0.02,
    queueMs: 0.01,
    batchMs: undefined,
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
  ['predictions', new Predictions({})],
  ['drift, 30 features', new Drift({ learnValues: 1000, windowMs: 600_000 }, {})],
  ['records, digest', recordsTo('Digest')],
  ['records, full', recordsTo('Full')],
];

/** A buffer that is full soon, so that what is measured is the making of records and not their writing. */
function recordsTo(content: RecordContent): Records {
  const settings = {
    sampleShare: 1,
    content,
    redactedInputs: new Set<string>(),
    userHeader: undefined,
    tenantHeader: undefined,
    sink: {
      kind: 'File',
      directory: tmpdir(),
      pod: undefined,
      maxBytes: 1e6,
      maxFiles: 2,
      maxAgeMs: undefined,
    },
  } as const;
  const decider = { modelName: 'bench', modelVersion: '1', modelDigest: null, revision: 'bench-1' };
  return new Records({ settings, decider: () => decider, labels: {}, log: createLog('error', {}) });
}

let next = 0;

function microsecondsOf(observer: JourneyObserver): number {
  const journeys = Array.from({ length: REQUESTS }, () => journeyOf(next++));
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
