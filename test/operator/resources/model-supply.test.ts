import { describe, expect, test } from 'vitest';
import type { PodShape } from '../../../operator/api/model-deployment.ts';
import type { ModelSources } from '../../../operator/resources/controller-revision.ts';
import { buildDeployment } from '../../../operator/resources/deployment.ts';
import { modelDeploymentWith, snapshotOf } from '../../support/model-deployment.ts';
import { restrictedViolations } from '../../support/restricted-pod.ts';

const DIGEST = 'a'.repeat(64);

function podOf(model: PodShape['model'], modelSources?: ModelSources) {
  const snapshot = { ...snapshotOf({ model }), ...(modelSources !== undefined && { modelSources }) };
  return buildDeployment(modelDeploymentWith({ model }), 'fraud-7cb4d9f2a1', snapshot).spec.template.spec;
}

function environmentOf(model: PodShape['model'], modelSources?: ModelSources): Record<string, unknown> {
  const [container] = podOf(model, modelSources).containers;
  return Object.fromEntries((container?.env ?? []).map(({ name, value }) => [name, value]));
}

describe('a model that is downloaded', () => {
  test('is told of where and how to ask, and how much to take', () => {
    const model = {
      uri: 's3://models/fraud.onnx',
      s3: { endpoint: 'https://minio.example.com', region: 'eu-central-1', pathStyle: false },
      maxSize: '2Gi',
    };
    expect(environmentOf(model)).toMatchObject({
      HEADGATE_MODEL_URI: 's3://models/fraud.onnx',
      HEADGATE_MODEL_S3_ENDPOINT: 'https://minio.example.com',
      HEADGATE_MODEL_S3_REGION: 'eu-central-1',
      HEADGATE_MODEL_S3_PATH_STYLE: 'false',
      HEADGATE_MODEL_MAX_BYTES: '2147483648',
    });
    expect(environmentOf({ uri: 'gs://b/o', gs: { endpoint: 'https://gs.example.com' } })).toMatchObject({
      HEADGATE_MODEL_GS_ENDPOINT: 'https://gs.example.com',
    });
  });

  test.each([
    ['20Gi', '21474836480'],
    [1000, '1000'],
    ['1.5k', '1500'],
    ['100m', '1'],
  ])('may be as large as %s', (maxSize, bytes) => {
    expect(environmentOf({ uri: 'https://m.example.com/x', maxSize })['HEADGATE_MODEL_MAX_BYTES']).toBe(
      bytes,
    );
  });

  test('adds nothing to a pod where the spec and the platform say nothing', () => {
    expect(Object.keys(environmentOf({ uri: 'https://m.example.com/x' })).sort()).toEqual([
      'HEADGATE_DRAIN_SECONDS',
      'HEADGATE_MODEL_NAME',
      'HEADGATE_MODEL_URI',
      'HEADGATE_REVISION',
    ]);
  });

  test('may come from where the platform allowed it when the revision was made', () => {
    const allow = ['10.0.0.0/8', '*.corp.example.com'];
    expect(environmentOf({ uri: 'https://m.example.com/x' }, { allow })).toMatchObject({
      HEADGATE_MODEL_SOURCES_ALLOW: '10.0.0.0/8,*.corp.example.com',
    });
  });
});

describe('the credentials for a model', () => {
  const inSecret = { uri: 's3://models/fraud.onnx', credentials: { secretName: 'fraud-store' } };
  const byIdentity = (role?: string): PodShape['model'] => ({
    uri: 's3://models/fraud.onnx',
    credentials: { workloadIdentity: { audience: 'sts.amazonaws.com', ...(role !== undefined && { role }) } },
  });

  test('in a Secret are mounted by the pod alone, read-only', () => {
    const pod = podOf(inSecret);
    expect(pod.volumes).toContainEqual({
      name: 'model-credentials',
      secret: { secretName: 'fraud-store' },
    });
    expect(pod.containers[0]?.volumeMounts).toContainEqual({
      name: 'model-credentials',
      mountPath: '/etc/headgate/credentials',
      readOnly: true,
    });
    expect(environmentOf(inSecret)['HEADGATE_MODEL_CREDENTIALS']).toBe('Secret');
  });

  test('of a role are a token for that audience, and none for the API server', () => {
    const role = 'arn:aws:iam::123456789012:role/models';
    const pod = podOf(byIdentity(role));
    expect(pod['automountServiceAccountToken']).toBe(false);
    expect(pod.volumes).toContainEqual({
      name: 'model-identity',
      projected: {
        sources: [
          {
            serviceAccountToken: { audience: 'sts.amazonaws.com', expirationSeconds: 3600, path: 'token' },
          },
        ],
      },
    });
    expect(environmentOf(byIdentity(role))).toMatchObject({
      HEADGATE_MODEL_CREDENTIALS: 'WorkloadIdentity',
      HEADGATE_MODEL_ROLE: role,
      HEADGATE_MODEL_IDENTITY_TOKEN: '/var/run/secrets/headgate.dev/identity/token',
    });
  });

  test('of an identity without a role are what the cloud puts into the pod', () => {
    expect(podOf(byIdentity()).volumes.map(({ name }) => name)).toEqual(['downloads', 'scratch']);
    expect(environmentOf(byIdentity())['HEADGATE_MODEL_CREDENTIALS']).toBe('WorkloadIdentity');
  });

  test.each([
    ['in a Secret', inSecret, {}],
    ['of a role', byIdentity('arn:aws:iam::123456789012:role/models'), {}],
    [
      'for an image volume',
      { ...inSecret, uri: `oci://r.example.com/m@sha256:${DIGEST}` },
      { imageVolumes: true },
    ],
  ])('%s leave the pod restricted', (_, model, sources) => {
    expect(restrictedViolations(podOf(model, sources))).toEqual([]);
  });
});

describe('a model in a registry', () => {
  const model = {
    uri: `oci://registry.example.com/models/fraud:3@sha256:${DIGEST}`,
    credentials: { secretName: 'registry-login' },
  };

  test('is pulled by the runtime where nodes mount no images', () => {
    expect(environmentOf(model)['HEADGATE_MODEL_URI']).toBe(model.uri);
    expect(podOf(model)['imagePullSecrets']).toBeUndefined();
    expect(podOf(model).volumes.map(({ name }) => name)).toContain('model-credentials');
  });

  test('is a volume where they do, pulled by the kubelet with the same Secret', () => {
    const pod = podOf(model, { imageVolumes: true });
    expect(pod.volumes).toContainEqual({
      name: 'model',
      image: {
        reference: `registry.example.com/models/fraud:3@sha256:${DIGEST}`,
        pullPolicy: 'IfNotPresent',
      },
    });
    expect(pod['imagePullSecrets']).toEqual([{ name: 'registry-login' }]);
    expect(environmentOf(model, { imageVolumes: true })).toMatchObject({
      HEADGATE_MODEL_URI: 'file:///mnt/model/',
    });
    expect(pod.volumes.map(({ name }) => name)).not.toContain('model-credentials');
  });
});
