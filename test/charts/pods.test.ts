import { beforeAll, describe, expect, test } from 'vitest';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { readConfig } from '../../operator/config.ts';
import { restrictedViolations, type Container, type PodSpec } from '../support/restricted-pod.ts';
import type {
  Deployment,
  DisruptionBudget,
  OperatorContainer,
  OperatorPodSpec,
  Pod,
  Service,
} from './kinds.ts';
import { only, template } from './render.ts';

function containerOf(pod: OperatorPodSpec): OperatorContainer {
  const [container, ...others] = pod.containers;
  if (container === undefined || others.length > 0)
    throw new Error(`${pod.containers.length} containers, not one`);
  return container;
}

describe('the pods of the chart', () => {
  let objects: KubernetesObject[];
  let deployment: Deployment;
  let testPod: Pod;

  beforeAll(async () => {
    objects = await template();
    deployment = only<Deployment>(objects, 'Deployment');
    testPod = only<Pod>(objects, 'Pod');
  });

  test('keep to the restricted Pod Security Standard', () => {
    expect(restrictedViolations(deployment.spec.template.spec)).toEqual([]);
    expect(restrictedViolations(testPod.spec)).toEqual([]);
  });

  test('write to no file system', () => {
    for (const pod of [deployment.spec.template.spec, testPod.spec]) {
      expect(containerOf(pod).securityContext?.readOnlyRootFilesystem).toBe(true);
      expect(containerOf(pod).volumeMounts).toBeUndefined();
      expect(pod.volumes).toBeUndefined();
    }
  });

  test('are two operators, one of which works, and there is always one to hand over to', () => {
    expect(deployment.spec).toMatchObject({
      replicas: 2,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
    });
    expect(only<DisruptionBudget>(objects, 'PodDisruptionBudget').spec).toMatchObject({
      minAvailable: 1,
      selector: deployment.spec.selector,
    });
    const spread = deployment.spec.template.spec.topologySpreadConstraints ?? [];
    expect(spread.map(({ topologyKey }) => topologyKey)).toEqual([
      'kubernetes.io/hostname',
      'topology.kubernetes.io/zone',
    ]);
    for (const { labelSelector, whenUnsatisfiable } of spread) {
      expect(labelSelector).toEqual(deployment.spec.selector);
      // On a cluster of one node both run there.
      expect(whenUnsatisfiable).toBe('ScheduleAnyway');
    }
  });

  test('elect by the Lease of the release, under names of their own', () => {
    const { env } = containerOf(deployment.spec.template.spec);
    const { namespace, name } = only<KubernetesObject>(objects, 'Lease').metadata;
    expect(env).toContainEqual({ name: 'HEADGATE_LEASE', value: `${namespace}/${name}` });
    const valueFrom = { fieldRef: { fieldPath: 'metadata.name' } };
    expect(env).toContainEqual({ name: 'HEADGATE_POD_NAME', valueFrom });
  });

  test('are not kept from being drained when there is but one', async () => {
    const kinds = (await template('--set', 'replicas=1')).map(({ kind }) => kind);
    expect(kinds).not.toContain('PodDisruptionBudget');
  });

  test('are probed for life and readiness', () => {
    const container = containerOf(deployment.spec.template.spec);
    expect(container.livenessProbe).toMatchObject({ httpGet: { path: '/livez', port: 'health' } });
    expect(container.readinessProbe).toMatchObject({ httpGet: { path: '/readyz', port: 'health' } });
    expect(container.startupProbe).toMatchObject({ httpGet: { path: '/livez', port: 'health' } });
  });

  test('are the only ones behind the metrics Service', () => {
    const { selector, ports } = only<Service>(objects, 'Service').spec;
    expect(selector).toEqual(deployment.spec.selector.matchLabels);
    expect(deployment.spec.template.metadata.labels).toMatchObject(selector);
    expect(testPod.metadata.labels).not.toMatchObject(selector);
    expect(ports).toEqual([expect.objectContaining({ port: 8081, targetPort: 'health' })]);
  });

  test('run no test with the operator’s rights', () => {
    expect(testPod.spec.serviceAccountName).toBeUndefined();
    expect(testPod.metadata.annotations).toMatchObject({ 'helm.sh/hook': 'test' });
  });

  test('carry a test script that no kubelet rewrites', () => {
    const [script = ''] = containerOf(testPod.spec).args ?? [];
    expect(script).toContain('/readyz');
    // $(NAME) in args is the kubelet's own syntax.
    expect(script).not.toContain('$(');
  });
});

describe('the values', () => {
  test('say which images run, by tag or by digest', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const deployment = only<Deployment>(
      await template(
        '--set',
        'image.repository=localhost/headgate-operator,image.tag=dev,image.pullPolicy=Never',
        '--set',
        `runtimeImage.repository=registry.example.com:5000/ml/runtime,runtimeImage.digest=${digest}`,
      ),
      'Deployment',
    );
    const container = containerOf(deployment.spec.template.spec);
    expect(container.image).toBe('localhost/headgate-operator:dev');
    expect(container.imagePullPolicy).toBe('Never');
    expect(container.env).toContainEqual({
      name: 'HEADGATE_RUNTIME_IMAGE',
      value: `registry.example.com:5000/ml/runtime@${digest}`,
    });
  });

  test('are what the operator reads from its environment', async () => {
    const values = [
      'runtimeImage.repository=r',
      'runtimeImage.tag=t',
      'log.level=debug',
      'watchNamespace=ml',
      'gatewayNamespaces={istio-system}',
      'concurrency=3',
      'modelSources.allow={10.0.0.0/8,*.corp.example.com}',
      'modelSources.imageVolumes=true',
      'leaseSeconds=9',
    ];
    const trafficPolicy = [{ namespaces: ['ml'], gateways: ['istio-system/*'], hosts: ['*.example.com'] }];
    const json = ['--set-json', `trafficPolicy=${JSON.stringify(trafficPolicy)}`];
    const settings = values.flatMap((value) => ['--set', value]);
    const deployment = only<Deployment>(await template(...settings, ...json), 'Deployment');
    const { env } = containerOf(deployment.spec.template.spec);
    const environment = Object.fromEntries(env.map(({ name, value = 'headgate-1' }) => [name, value]));
    expect(readConfig(environment)).toEqual({
      runtimeImage: 'r:t',
      logLevel: 'debug',
      watchNamespace: 'ml',
      gatewayNamespaces: ['istio-system'],
      concurrency: 3,
      healthPort: 8081,
      trafficPolicy,
      modelSources: { allow: ['10.0.0.0/8', '*.corp.example.com'], imageVolumes: true },
      lease: { namespace: 'headgate-system', name: 'headgate' },
      leaseSeconds: 9,
      podName: 'headgate-1',
    });
  });

  test('place and prioritise the operator', async () => {
    const placed = {
      priorityClassName: 'system-cluster-critical',
      nodeSelector: { 'kubernetes.io/os': 'linux', pool: 'system' },
      tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }],
      affinity: { nodeAffinity: {} },
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway' }],
      imagePullSecrets: [{ name: 'registry' }],
    };
    const values = Object.entries(placed).flatMap(([name, value]) => [
      '--set-json',
      `${name}=${JSON.stringify(value)}`,
    ]);
    const deployment = only<Deployment>(
      await template(...values, '--set', 'podAnnotations.team=ml'),
      'Deployment',
    );
    expect(deployment.spec.template.spec).toMatchObject(placed);
    expect(deployment.spec.template.metadata.annotations).toEqual({ team: 'ml' });
  });
});

/** What the check itself is worth: a pod that breaks a rule must be seen to. */
describe('the check of the restricted standard', () => {
  const soundContainer = {
    name: 'it',
    image: 'it',
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  } satisfies Container;
  const sound = {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [soundContainer],
  } satisfies PodSpec;

  test('passes a restricted pod', () => {
    expect(restrictedViolations(sound)).toEqual([]);
  });

  test.each<[string, PodSpec]>([
    ['no host namespaces', { ...sound, hostPID: true }],
    ['no sysctls', { ...sound, securityContext: { ...sound.securityContext, sysctls: [{}] } }],
    ['only volumes that stay', { ...sound, volumes: [{ name: 'x', hostPath: { path: '/' } }] }],
    ['not as root', { ...sound, securityContext: { seccompProfile: { type: 'RuntimeDefault' } } }],
    ['a seccomp profile', { ...sound, securityContext: { runAsNonRoot: true } }],
    ['no host port', withContainer({ ports: [{ hostPort: 80 }] })],
    ['no probe or hook of another host', withContainer({ livenessProbe: { httpGet: { host: '10.0.0.1' } } })],
    ['not privileged', withContext({ privileged: true })],
    ['no privilege escalation', withContext({ allowPrivilegeEscalation: true })],
    ['every capability dropped', withContext({ capabilities: { drop: [] } })],
    ['no capability added', withContext({ capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } })],
    ['no user 0', withContext({ runAsUser: 0 })],
    ['the usual /proc', withContext({ procMount: 'Unmasked' })],
    ['no SELinux', withContext({ appArmorProfile: { type: 'Unconfined' } })],
  ])('finds a breach of “%s”', (rule, pod) => {
    expect(restrictedViolations(pod).join('\n')).toContain(rule);
  });

  function withContainer(change: Partial<Container>): PodSpec {
    return { ...sound, containers: [{ ...soundContainer, ...change }] };
  }
  function withContext(change: Container['securityContext']): PodSpec {
    return withContainer({ securityContext: { ...soundContainer.securityContext, ...change } });
  }
});
