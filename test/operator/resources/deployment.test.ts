import { describe, expect, test } from 'vitest';
import type { PodShape } from '../../../operator/api/model-deployment.ts';
import { buildDeployment, type Deployment } from '../../../operator/resources/deployment.ts';
import { buildRevisionService } from '../../../operator/resources/service.ts';
import { modelDeploymentWith, snapshotOf } from '../../support/model-deployment.ts';
import { restrictedViolations } from '../../support/restricted-pod.ts';

const REVISION = 'fraud-bbbbbbbbbb';
const model = { uri: 'https://models.example.com/fraud/3/model.onnx' };
const owner = modelDeploymentWith();

function deploymentOf(podShape: Partial<PodShape> = {}): Deployment {
  return buildDeployment(owner, REVISION, snapshotOf({ model, ...podShape }));
}

function podOf(podShape: Partial<PodShape> = {}): Deployment['spec']['template']['spec'] {
  return deploymentOf(podShape).spec.template.spec;
}

function containerOf(podShape: Partial<PodShape> = {}): Readonly<Record<string, unknown>> {
  const [container] = podOf(podShape).containers;
  return container ?? {};
}

function environmentOf(podShape: Partial<PodShape> = {}): Record<string, unknown> {
  const env = containerOf(podShape)['env'] as readonly { name: string; value?: string }[];
  return Object.fromEntries(env.map(({ name, value }) => [name, value]));
}

const everything: PodShape['podTemplate'] = {
  metadata: { labels: { team: 'risk' }, annotations: { 'example.com/note': 'mine' } },
  spec: {
    imagePullSecrets: [{ name: 'registry' }],
    serviceAccountName: 'models',
    priorityClassName: 'online',
    runtimeClassName: 'nvidia',
    nodeSelector: { 'kubernetes.io/arch': 'amd64' },
    terminationGracePeriodSeconds: 90,
    env: [{ name: 'LOG_LEVEL', value: 'debug' }],
    volumes: [{ name: 'tokens', secret: { secretName: 'tokens' } }],
    volumeMounts: [{ name: 'tokens', mountPath: '/etc/tokens', readOnly: true }],
    tolerations: [{ key: 'dedicated', operator: 'Exists' }],
  },
};

describe('the Deployment of a revision', () => {
  test('never says how many pods there are, which is for the autoscaler to say (I6)', () => {
    expect(deploymentOf().spec).not.toHaveProperty('replicas');
  });

  test('selects by the revision, so that no other revision counts among its pods', () => {
    const { selector, template } = deploymentOf().spec;
    expect(selector.matchLabels).toMatchObject({ 'headgate.dev/revision': REVISION });
    expect(template.metadata.labels).toMatchObject(selector.matchLabels);
    expect(buildRevisionService(owner, REVISION).spec.selector).toEqual(selector.matchLabels);
  });

  test('replaces pods without one missing in between (I7)', () => {
    expect(deploymentOf().spec.strategy).toMatchObject({ rollingUpdate: { maxUnavailable: 0 } });
  });

  test('is a function of the snapshot: the present spec changes nothing in it', () => {
    const edited = modelDeploymentWith({
      model: { uri: 'file:///other.onnx' },
      scaling: { minReplicas: 9, maxReplicas: 9, targetP95: '9s' },
      resources: { requests: { cpu: '9' } },
    });
    expect(buildDeployment(edited, REVISION, snapshotOf({ model }))).toEqual(deploymentOf());
  });

  test('runs the image that the snapshot pins', () => {
    expect(containerOf()['image']).toBe('example.com/headgate-runtime:1');
  });
});

describe('a pod', () => {
  test.each([
    ['as it comes', {}],
    ['with a GPU', { resources: { gpu: { count: 1 } } }],
    ['with a claim', { model: { uri: 'pvc://models/fraud.onnx' } }],
    ['with everything that may be added', { podTemplate: everything }],
  ] satisfies [string, Partial<PodShape>][])('is restricted %s', (_, podShape) => {
    expect(restrictedViolations(podOf(podShape))).toEqual([]);
  });

  test('writes nowhere but into folders that die with it', () => {
    expect(containerOf()['securityContext']).toMatchObject({ readOnlyRootFilesystem: true });
    expect(podOf().volumes).toEqual([
      { name: 'downloads', emptyDir: {} },
      { name: 'scratch', emptyDir: {} },
    ]);
  });

  test('tells the runtime what to serve, and as which revision', () => {
    const sha256 = 'a'.repeat(64);
    const runtime = {
      queue: { maxDepth: 7, timeout: '2s' },
      batching: { maxBatchSize: 16, maxDelay: '2.5ms' },
      executors: { count: 2, threads: 1, loadTimeout: '10m' },
      cache: { ttl: '10m', maxSize: '32Mi', redis: { url: 'redis://redis.cache.svc:6379' } },
    };
    expect(environmentOf({ model: { ...model, sha256 }, runtime })).toEqual({
      HEADGATE_MODEL_NAME: 'fraud',
      HEADGATE_REVISION: REVISION,
      HEADGATE_MODEL_URI: model.uri,
      HEADGATE_MODEL_SHA256: sha256,
      HEADGATE_QUEUE_MAX_DEPTH: '7',
      HEADGATE_QUEUE_TIMEOUT_MS: '2000',
      HEADGATE_BATCH_MAX_SIZE: '16',
      HEADGATE_BATCH_MAX_DELAY_MS: '3',
      HEADGATE_EXECUTORS: '2',
      HEADGATE_THREADS: '1',
      HEADGATE_LOAD_TIMEOUT_MS: '600000',
      HEADGATE_CACHE_TTL_MS: '600000',
      HEADGATE_CACHE_MAX_BYTES: '33554432',
      HEADGATE_CACHE_REDIS_URL: 'redis://redis.cache.svc:6379',
      HEADGATE_DRAIN_SECONDS: '15',
    });
  });

  test('mounts the token of the management port, which the runtime reads and the operator does not', () => {
    const podShape = { model, runtime: { management: { tokenSecretName: 'fraud-management' } } };
    expect(podOf(podShape).volumes).toContainEqual({
      name: 'management-token',
      secret: { secretName: 'fraud-management', items: [{ key: 'token', path: 'token' }] },
    });
    expect(containerOf(podShape)['volumeMounts']).toContainEqual({
      name: 'management-token',
      mountPath: '/etc/headgate/management',
      readOnly: true,
    });
    expect(environmentOf(podShape)['HEADGATE_MANAGEMENT_TOKEN_FILE']).toBe('/etc/headgate/management/token');
  });

  test('hands the rules of inputs and the meaning of outputs on as JSON, the same text for the same value', () => {
    const inputs = [
      { name: 'X', nulls: 'Refuse' as const, columns: [{ index: 0, name: 'age', maximum: 120 }] },
    ];
    const environment = environmentOf({
      model,
      runtime: { inputs, output: { topK: 3, labels: ['a', 'b'] } },
    });
    expect(environment['HEADGATE_INPUTS']).toBe(
      '[{"columns":[{"index":0,"maximum":120,"name":"age"}],"name":"X","nulls":"Refuse"}]',
    );
    expect(environment['HEADGATE_OUTPUT']).toBe('{"labels":["a","b"],"topK":3}');
  });

  test('tells the runtime which records to keep, and where', () => {
    const records = { sink: 'File', samplePercent: 10, userHeader: 'x-user' } as const;
    const file = { maxSize: '1Mi', maxFiles: 8, maxAge: '12h' };
    const redacted = { content: 'Redacted' as const, redact: ['age, in years'] };
    expect(environmentOf({ runtime: { records: { ...records, ...redacted, file } } })).toMatchObject({
      HEADGATE_RECORDS_SINK: 'File',
      HEADGATE_RECORDS_SAMPLE_PERCENT: '10',
      HEADGATE_RECORDS_CONTENT: 'Redacted',
      HEADGATE_RECORDS_REDACT: '["age, in years"]',
      HEADGATE_RECORDS_USER_HEADER: 'x-user',
      HEADGATE_RECORDS_FILE_MAX_BYTES: '1048576',
      HEADGATE_RECORDS_MAX_FILES: '8',
      HEADGATE_RECORDS_MAX_AGE_SECONDS: '43200',
    });
    const http = { url: 'http://broker.example.com/' };
    const snapshot = snapshotOf({ model, runtime: { records: { sink: 'Http', http } } });
    const allowed = { ...snapshot, modelSources: { allow: ['10.0.0.0/8', 'broker.example.com'] } };
    const [container] = buildDeployment(owner, REVISION, allowed).spec.template.spec.containers;
    expect(container?.env).toEqual(
      expect.arrayContaining([
        { name: 'HEADGATE_RECORDS_HTTP_URL', value: http.url },
        { name: 'HEADGATE_RECORDS_HTTP_ALLOW', value: '10.0.0.0/8,broker.example.com' },
        { name: 'HEADGATE_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
      ]),
    );
    expect(Object.keys(environmentOf()).filter((name) => name.includes('RECORDS'))).toEqual([]);
  });

  test('mounts a claim for records where one is named, into which each pod writes under its own name', () => {
    const file = { maxAge: '12h', claimName: 'fraud-records' };
    const podShape = { runtime: { records: { sink: 'File' as const, file } } };
    expect(podOf(podShape).volumes).toContainEqual({
      name: 'decision-records',
      persistentVolumeClaim: { claimName: 'fraud-records' },
    });
    const { env, volumeMounts } = containerOf(podShape);
    expect(volumeMounts).toContainEqual({ name: 'decision-records', mountPath: '/mnt/records' });
    expect(env).toEqual(
      expect.arrayContaining([
        { name: 'HEADGATE_RECORDS_DIRECTORY', value: '/mnt/records/$(HEADGATE_MODEL_NAME)' },
        { name: 'HEADGATE_RECORDS_POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      ]),
    );
    expect(podOf(podShape)['securityContext']).toMatchObject({ runAsUser: 65_532, fsGroup: 65_532 });
    expect(podOf()['securityContext']).not.toHaveProperty('fsGroup');
    const names = (env as { name: string }[]).map(({ name }) => name);
    // Kubernetes puts in only what comes before.
    expect(names.indexOf('HEADGATE_MODEL_NAME')).toBeLessThan(names.indexOf('HEADGATE_RECORDS_DIRECTORY'));
  });

  test('tells the runtime what to compare with when it watches for drift, of which answers labels may come, and how much to log', () => {
    const drift = { baseline: 'File' as const, file: '/etc/baseline.json', learnRows: 500, window: '1m' };
    const feedback = { wait: '2h' };
    expect(environmentOf({ runtime: { logLevel: 'debug', drift, feedback } })).toMatchObject({
      HEADGATE_LOG_LEVEL: 'debug',
      HEADGATE_FEEDBACK_ANSWERS: '10000',
      HEADGATE_FEEDBACK_WAIT_SECONDS: '7200',
      HEADGATE_DRIFT_BASELINE: 'File',
      HEADGATE_DRIFT_BASELINE_FILE: '/etc/baseline.json',
      HEADGATE_DRIFT_LEARN_ROWS: '500',
      HEADGATE_DRIFT_WINDOW_SECONDS: '60',
    });
  });

  test('tells the runtime where to find a Redis, whose password the kubelet mounts from a Secret', () => {
    const redis = { url: 'redis://redis.cache.svc:6379/1', secretName: 'redis-login' };
    const runtime = { cache: { ttl: '10m', redis }, feedback: { answers: 500, redis } };
    expect((containerOf({ runtime })['env'] as unknown[]).slice(-8)).toEqual([
      { name: 'HEADGATE_CACHE_TTL_MS', value: '600000' },
      { name: 'HEADGATE_CACHE_REDIS_URL', value: redis.url },
      { name: 'HEADGATE_CACHE_REDIS_PASSWORD_FILE', value: '/etc/headgate/redis/cache/password' },
      { name: 'HEADGATE_FEEDBACK_ANSWERS', value: '500' },
      { name: 'HEADGATE_FEEDBACK_REDIS_URL', value: redis.url },
      { name: 'HEADGATE_FEEDBACK_REDIS_PASSWORD_FILE', value: '/etc/headgate/redis/feedback/password' },
      { name: 'HEADGATE_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
      { name: 'HEADGATE_DRAIN_SECONDS', value: '15' },
    ]);
    const items = [{ key: 'password', path: 'password' }];
    expect(podOf({ runtime }).volumes.slice(-2)).toEqual([
      { name: 'cache-redis', secret: { secretName: 'redis-login', items } },
      { name: 'feedback-redis', secret: { secretName: 'redis-login', items } },
    ]);
    expect(containerOf({ runtime })['volumeMounts']).toContainEqual({
      ...{ name: 'feedback-redis', mountPath: '/etc/headgate/redis/feedback', readOnly: true },
    });
  });

  test("leaves what the spec does not say to the runtime's own defaults", () => {
    expect(Object.keys(environmentOf())).not.toContain('HEADGATE_QUEUE_MAX_DEPTH');
    expect(Object.keys(environmentOf())).not.toContain('HEADGATE_MODEL_SHA256');
  });

  test('has more time to end than it takes to drain', () => {
    expect(podOf()['terminationGracePeriodSeconds']).toBe(60);
  });

  test('is asked for its health and its metrics on the port that sidecars keep out of', () => {
    expect(containerOf()['readinessProbe']).toMatchObject({
      httpGet: { path: '/readyz', port: 'management' },
    });
    expect(deploymentOf().spec.template.metadata.annotations).toMatchObject({
      'prometheus.io/scrape': 'true',
      'prometheus.io/port': '8082',
      'traffic.sidecar.istio.io/excludeInboundPorts': '8082',
    });
  });

  test('sees a claim as a mounted folder, read-only', () => {
    const podShape = { model: { uri: 'pvc://models/fraud/3/model.onnx' } };
    expect(environmentOf(podShape)['HEADGATE_MODEL_URI']).toBe('file:///mnt/model/fraud/3/model.onnx');
    expect(podOf(podShape).volumes).toContainEqual({
      name: 'model',
      persistentVolumeClaim: { claimName: 'models', readOnly: true },
    });
    expect(containerOf(podShape)['volumeMounts']).toContainEqual({
      name: 'model',
      mountPath: '/mnt/model',
      readOnly: true,
    });
  });

  test('has no resources where the spec names none, and texts where it names numbers', () => {
    expect(containerOf()).not.toHaveProperty('resources');
    expect(
      containerOf({ resources: { requests: { cpu: 2 }, limits: { memory: '1Gi' } } })['resources'],
    ).toEqual({
      requests: { cpu: '2' },
      limits: { memory: '1Gi' },
    });
  });

  test('is spread softly over hosts, among the pods of its own revision', () => {
    expect(podOf()['topologySpreadConstraints']).toEqual([
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: deploymentOf().spec.selector.matchLabels },
      },
    ]);
  });
});

describe('a pod template', () => {
  test('adds to the pod what it may add', () => {
    expect(podOf({ podTemplate: everything })).toMatchObject({
      imagePullSecrets: [{ name: 'registry' }],
      serviceAccountName: 'models',
      priorityClassName: 'online',
      runtimeClassName: 'nvidia',
      nodeSelector: { 'kubernetes.io/arch': 'amd64' },
      terminationGracePeriodSeconds: 90,
      tolerations: [{ key: 'dedicated', operator: 'Exists' }],
    });
    expect(environmentOf({ podTemplate: everything })).toMatchObject({ LOG_LEVEL: 'debug' });
    expect(podOf({ podTemplate: everything }).volumes.map(({ name }) => name)).toEqual([
      'downloads',
      'scratch',
      'tokens',
    ]);
  });

  test('adds labels, but takes none of ours away', () => {
    const podTemplate = { metadata: { labels: { team: 'risk', 'headgate.dev/revision': 'mine' } } };
    const { labels } = deploymentOf({ podTemplate }).spec.template.metadata;
    expect(labels).toMatchObject({ team: 'risk', 'headgate.dev/revision': REVISION });
  });

  test('may say where metrics are scraped', () => {
    const podTemplate = { metadata: { annotations: { 'prometheus.io/scrape': 'false' } } };
    expect(deploymentOf({ podTemplate }).spec.template.metadata.annotations).toMatchObject({
      'prometheus.io/scrape': 'false',
      'prometheus.io/port': '8082',
    });
  });

  test('hands on nothing that the schema refuses, should it ever get here', () => {
    const spec = { hostNetwork: true, hostPID: true, securityContext: { runAsUser: 0 } };
    expect(restrictedViolations(podOf({ podTemplate: { spec } }))).toEqual([]);
  });

  test('does not mount the token of its ServiceAccount', () => {
    expect(podOf({ podTemplate: everything })['automountServiceAccountToken']).toBe(false);
  });
});
