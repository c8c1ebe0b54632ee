import { describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { buildAutoscaler } from '../../../operator/resources/autoscaler.ts';
import { buildDeployment } from '../../../operator/resources/deployment.ts';
import { appliedHash, needsApply, withAppliedHash } from '../../../operator/resources/difference.ts';
import { buildRevisionService } from '../../../operator/resources/service.ts';
import { routers } from '../../../operator/traffic/index.ts';
import { routeAllTo, splitBetween } from '../../../operator/traffic/routing.ts';
import { modelDeploymentWith, publicTraffic, snapshotOf } from '../../support/model-deployment.ts';

const REVISION = 'fraud-bbbbbbbbbb';
const owner = modelDeploymentWith({ traffic: publicTraffic });
const shape = {
  model: { uri: 'pvc://models/fraud.onnx' },
  resources: { requests: { cpu: '1000m', memory: '1024Mi' }, gpu: { count: 1 } },
  podTemplate: {
    spec: { env: [{ name: 'EMPTY', value: '' }], tolerations: [{ key: 'a', operator: 'Exists' as const }] },
  },
};
const deployment = buildDeployment(owner, REVISION, snapshotOf(shape));
const service = buildRevisionService(owner, REVISION);
const autoscaler = buildAutoscaler(
  modelDeploymentWith({ scaling: { minReplicas: 2, maxReplicas: 4, targetP95: '1m' } }),
  REVISION,
  { minReplicas: 2, maxReplicas: 4, holdScaleDown: false, metric: 'Latency' },
);
const virtualService = (...[routing]: [ReturnType<typeof routeAllTo>]): KubernetesObject => {
  const [first] = routers.istio.render(owner, routing).objects;
  if (first === undefined) throw new Error('nothing was rendered');
  return first;
};

/** A deep copy, to be changed as the world changes objects. */
type Plain = Record<string, unknown>;
function stored(desired: KubernetesObject): Plain & KubernetesObject {
  return JSON.parse(JSON.stringify(withAppliedHash(desired))) as Plain & KubernetesObject;
}

/** The member at a path such as spec.template, where a number is an index. */
function at(object: unknown, path: string): Plain {
  return path.split('.').reduce<unknown>((value, key) => (value as Plain)[key], object) as Plain;
}

interface Change {
  readonly what: string;
  readonly desired: KubernetesObject;
  readonly change: (live: Plain) => void;
}

const CONTAINER = 'spec.template.spec.containers.0';

describe('an object is left alone', () => {
  test.each([deployment, service, autoscaler, virtualService(routeAllTo(REVISION))])(
    'as soon as it has been applied: $kind',
    (desired) => {
      expect(needsApply(stored(desired), desired)).toBe(false);
    },
  );

  const harmless: readonly Change[] = [
    {
      what: 'the API server has added defaults',
      desired: deployment,
      change: (live) => {
        Object.assign(at(live, 'spec'), { replicas: 7, progressDeadlineSeconds: 600 });
        Object.assign(at(live, CONTAINER), { terminationMessagePath: '/dev/termination-log' });
        Object.assign(at(live, 'spec.template.spec'), { dnsPolicy: 'ClusterFirst', restartPolicy: 'Always' });
      },
    },
    {
      what: 'the API server writes amounts in its own way',
      desired: deployment,
      change: (live) =>
        Object.assign(at(live, `${CONTAINER}.resources.requests`), { cpu: '1', memory: '1Gi' }),
    },
    {
      what: 'the API server writes the target of the autoscaler in its own way',
      desired: autoscaler,
      change: (live) => Object.assign(at(live, 'spec.metrics.0.pods.target'), { averageValue: '60k' }),
    },
    {
      what: 'the API server leaves out an empty value',
      desired: deployment,
      change: (live) => {
        const env = at(live, CONTAINER)['env'] as Plain[];
        delete env.find(({ name }) => name === 'EMPTY')?.['value'];
      },
    },
    {
      what: 'somebody else has added a variable, a label and an annotation (I5)',
      desired: deployment,
      change: (live) => {
        (at(live, CONTAINER)['env'] as Plain[]).unshift({ name: 'INJECTED', value: 'x' });
        Object.assign(at(live, 'metadata.labels'), { team: 'risk' });
        Object.assign(at(live, 'metadata.annotations'), { 'deployment.kubernetes.io/revision': '3' });
      },
    },
    {
      what: 'a Service has got its address',
      desired: service,
      change: (live) => Object.assign(at(live, 'spec'), { clusterIP: '10.96.0.7', sessionAffinity: 'None' }),
    },
  ];
  test.each(harmless)('when $what', ({ desired, change }) => {
    const live = stored(desired);
    change(live);
    expect(needsApply(live, desired)).toBe(false);
  });
});

describe('an object is written', () => {
  test('when there is none', () => {
    expect(needsApply(undefined, service)).toBe(true);
  });

  test('when it was never applied by us, be it just as wanted', () => {
    expect(needsApply(service, service)).toBe(true);
  });

  test('when a field is no longer wanted, which only the hash can tell', () => {
    const before = { ...service, spec: { ...service.spec, sessionAffinity: 'ClientIP' } };
    expect(needsApply(stored(before), service)).toBe(true);
  });

  const harmful: readonly Change[] = [
    {
      what: 'an image was changed',
      desired: deployment,
      change: (live) => Object.assign(at(live, CONTAINER), { image: 'elsewhere:1' }),
    },
    {
      what: 'a guard was switched off',
      desired: deployment,
      change: (live) => {
        delete at(live, 'spec.template.spec')['automountServiceAccountToken'];
      },
    },
    {
      what: 'an amount was changed',
      desired: deployment,
      change: (live) => Object.assign(at(live, `${CONTAINER}.resources.requests`), { cpu: '2' }),
    },
    {
      what: 'a toleration was added, in a list that is applied as a whole',
      desired: deployment,
      change: (live) =>
        (at(live, 'spec.template.spec')['tolerations'] as Plain[]).push({ key: 'b', operator: 'Exists' }),
    },
    {
      what: 'a label was taken off',
      desired: deployment,
      change: (live) => {
        delete at(live, 'metadata.labels')['headgate.dev/revision'];
      },
    },
    {
      what: 'a selector has got a further label',
      desired: service,
      change: (live) => Object.assign(at(live, 'spec.selector'), { more: 'x' }),
    },
    {
      what: 'the owner was taken off',
      desired: service,
      change: (live) => {
        delete at(live, 'metadata')['ownerReferences'];
      },
    },
    {
      what: 'the scale-down was set free',
      desired: autoscaler,
      change: (live) => Object.assign(at(live, 'spec.behavior.scaleDown'), { selectPolicy: 'Min' }),
    },
    {
      what: 'a weight was changed by hand',
      desired: virtualService(splitBetween(REVISION, 'fraud-cccccccccc', 500)),
      change: (live) => Object.assign(at(live, 'spec.http.1.route.0'), { weight: 1 }),
    },
    {
      what: 'a mirror was added to a route',
      desired: virtualService(routeAllTo(REVISION)),
      change: (live) => Object.assign(at(live, 'spec.http.1'), { mirrors: [{ destination: { host: 'x' } }] }),
    },
    {
      what: 'a route was put before ours',
      desired: virtualService(routeAllTo(REVISION)),
      change: (live) => (at(live, 'spec')['http'] as Plain[]).unshift({ name: 'mine' }),
    },
  ];
  test.each(harmful)('when $what', ({ desired, change }) => {
    const live = stored(desired);
    change(live);
    expect(needsApply(live, desired)).toBe(true);
  });
});

describe('the mark of what was applied', () => {
  test('does not depend on itself', () => {
    const once = withAppliedHash(service);
    expect(appliedHash(withAppliedHash(once))).toBe(appliedHash(once));
  });

  test('stands beside the annotations that are wanted', () => {
    const noted = { ...service, metadata: { ...service.metadata, annotations: { note: 'mine' } } };
    expect(withAppliedHash(noted).metadata.annotations).toMatchObject({ note: 'mine' });
    expect(appliedHash(withAppliedHash(noted))).not.toBe(appliedHash(withAppliedHash(service)));
  });
});
