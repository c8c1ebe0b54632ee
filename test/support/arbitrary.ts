import fc from 'fast-check';
import type { PodObservation, RuntimeReport } from '../../operator/plan/observed.ts';
import type { Scene } from './scene.ts';
import { GATEWAY_PODS, type Version } from './scene.ts';

const version = fc.constantFrom<Version>('v1', 'v2', 'v3');
const seconds = fc.double({ min: 0, max: 60, noNaN: true });

const termination = fc.record({
  reason: fc.constantFrom('Error', 'OOMKilled', 'ModelNotFound', 'ModelInvalid', 'ModelDownloadFailed'),
  message: fc.constantFrom('', 'it ended with exit code 1', 'the model is no model'),
  exitCode: fc.constantFrom(0, 1, 137),
});

const podChange: fc.Arbitrary<Partial<PodObservation>> = fc.record(
  {
    ready: fc.boolean(),
    crashes: fc.constantFrom(0, 0, 0, 1, 2, 3),
    lastTermination: termination,
    waiting: fc.constantFrom(
      { reason: 'ImagePullBackOff', message: 'Back-off' },
      { reason: 'Unschedulable', message: '' },
    ),
  },
  { requiredKeys: ['ready'] },
);

const report: fc.Arbitrary<Partial<RuntimeReport> | 'silent'> = fc.oneof(
  fc.constant('silent' as const),
  fc.record({
    window: fc.record({ seconds: fc.constant(30), requests: fc.nat(100), errors: fc.nat(20) }),
    inFlight: fc.nat(2),
    lastRequestSecondsAgo: fc.oneof(fc.constant(null), seconds),
    routings: fc.array(fc.record({ hash: fc.constantFrom('older', 'other'), lastSeenSecondsAgo: seconds }), {
      maxLength: 2,
    }),
  }),
);

/** One thing that may happen, as a change of the scene and in words for the counterexample. */
export interface Happening {
  readonly words: string;
  readonly apply: (scene: Scene) => void;
}

const happening = (words: string, apply: (scene: Scene) => void): Happening => ({ words, apply });

const steps = fc.constantFrom(
  [{ weight: 5 }, { pause: { for: '1m' } }, { weight: 50 }, { weight: 100 }],
  [{ weight: 100 }],
  [{ pause: {} }, { weight: 30 }],
  [{ weight: 10 }, { pause: {} }, { weight: 60 }],
);

/** Passes are frequent, and mostly everything is well: else nothing would ever come far. */
export const happenings: fc.Arbitrary<readonly Happening[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(happening('pass', (scene) => scene.pass())) },
    {
      weight: 4,
      arbitrary: fc.constant(happening('passes', (scene) => Array.from({ length: 6 }, () => scene.pass()))),
    },
    {
      weight: 1,
      arbitrary: fc.constant(
        happening('pass without status', (scene) => scene.pass({ crashBefore: 'Status' })),
      ),
    },
    {
      weight: 2,
      arbitrary: version.map((name) => happening(`asks for ${name}`, (scene) => scene.asksFor(name))),
    },
    {
      weight: 1,
      arbitrary: steps.map((list) =>
        happening(`steps ${JSON.stringify(list)}`, (scene) => scene.steps(...list)),
      ),
    },
    {
      weight: 6,
      arbitrary: fc
        .tuple(version, fc.nat(4))
        .map(([name, pods]) => happening(`${name} runs ${pods}`, (scene) => scene.runs(name, pods))),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(version, fc.nat(2), podChange)
        .map(([name, pod, change]) =>
          happening(`${name}-pod-${pod} ${JSON.stringify(change)}`, (scene) =>
            scene.pod(`${name}-pod-${pod}`, change),
          ),
        ),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(version, fc.nat(2), report)
        .map(([name, pod, said]) =>
          happening(`${name}-pod-${pod} reports ${JSON.stringify(said)}`, (scene) =>
            scene.reportOf(`${name}-pod-${pod}`, said),
          ),
        ),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(...GATEWAY_PODS)
        .map((name) => happening(`${name} stops`, (scene) => scene.gatewayStops(name))),
    },
    { weight: 2, arbitrary: fc.constant(happening('gateways go on', (scene) => scene.gatewaysGoOn())) },
    {
      weight: 3,
      arbitrary: fc
        .constantFrom(1_000, 6_000, 61_000, 700_000)
        .map((elapsed) => happening(`${elapsed} ms`, (scene) => scene.later(elapsed))),
    },
    { weight: 1, arbitrary: fc.constant(happening('status is lost', (scene) => scene.losesStatus())) },
    {
      weight: 1,
      arbitrary: fc.boolean().map((istio) =>
        happening(`Istio: ${istio}`, (scene) => {
          scene.platform = { ...scene.platform, istio };
        }),
      ),
    },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom('True' as const, 'False' as const)
        .map((is) => happening(`metric ${is}`, (scene) => scene.metricIs(is))),
    },
  ),
  { minLength: 1, maxLength: 60, size: 'max' },
);
