import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ModelDeploymentSpec } from '../../../operator/api/model-deployment.ts';
import {
  entryServiceName,
  gatewayVirtualServiceName,
  labelsOf,
  meshVirtualServiceName,
  probePath,
  revisionName,
  serviceHost,
} from '../../../operator/api/names.ts';
import { modelDeploymentWith } from '../../support/model-deployment.ts';

const DNS_LABEL = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** The names that the API server lets in. */
const validName = fc.stringMatching(/^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$/).filter((name) => name.length <= 52);

describe('the names of children', () => {
  test('fit into a label, for any name that the API server lets in', () => {
    fc.assert(
      fc.property(validName, (name) => {
        const revision = revisionName(name, { model: { uri: 'file:///model.onnx' } });
        expect(revision).toMatch(DNS_LABEL);
        expect(entryServiceName(name)).toMatch(DNS_LABEL);
        expect(Object.values(labelsOf(name, revision)).every((value) => value.length <= 63)).toBe(true);
      }),
    );
  });

  test('are apart from those of any other ModelDeployment', () => {
    fc.assert(
      fc.property(validName, validName, (left, right) => {
        expect(meshVirtualServiceName(left)).not.toBe(gatewayVirtualServiceName(right));
      }),
    );
  });

  test('name Services as proxies know them', () => {
    expect(serviceHost('fraud', 'ml')).toBe('fraud.ml.svc.cluster.local');
  });

  test.each([
    ['/', '/.headgate/routing'],
    ['/fraud', '/fraud/.headgate/routing'],
    ['/a/b', '/a/b/.headgate/routing'],
  ])('have the probe below the prefix %s at %s', (prefix, path) => {
    expect(probePath(prefix)).toBe(path);
  });
});

describe('the name of a revision', () => {
  const { spec } = modelDeploymentWith();
  const name = revisionName('fraud', spec);

  const shaping: readonly (readonly [string, Partial<ModelDeploymentSpec>])[] = [
    ['the model', { model: { uri: 'file:///models/v2.onnx' } }],
    ['its digest', { model: { ...spec.model, sha256: 'a'.repeat(64) } }],
    ['the runtime', { runtime: { queue: { maxDepth: 7 } } }],
    ['the resources', { resources: { requests: { cpu: '2' } } }],
    ['the pod template', { podTemplate: { metadata: { labels: { team: 'risk' } } } }],
  ];
  test.each(shaping)('is another one for a change of %s', (_, change) => {
    expect(revisionName('fraud', { ...spec, ...change })).not.toBe(name);
  });

  const notShaping: readonly (readonly [string, Partial<ModelDeploymentSpec>])[] = [
    ['the scaling', { scaling: { minReplicas: 3, maxReplicas: 9, targetP95: '1s' } }],
    [
      'the traffic',
      { traffic: { pathPrefix: '/else', timeout: '1s', retries: { attempts: 2 }, router: 'Service' } },
    ],
    ['the rollout', { rollout: { ...spec.rollout, canary: { steps: [{ weight: 100 }] } } }],
  ];
  test.each(notShaping)('stays for a change of %s', (_, change) => {
    expect(revisionName('fraud', { ...spec, ...change })).toBe(name);
  });

  test('holds nothing but the name and ten characters', () => {
    expect(name).toMatch(/^fraud-[bcdfghjklmnpqrstvwxz2456789]{10}$/);
  });
});
