import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { part } from '../bed/programs.ts';
import { run } from '../bed/shell.ts';
import { kubernetesSchemas, schemaLocation } from '../support/kubernetes-schemas.ts';
import type { ConfigMap } from './kinds.ts';
import { chart, helm, KUBERNETES_VERSION, objectsOf, only, template, templateText } from './render.ts';

describe('the chart', () => {
  test('passes helm lint without a warning', async () => {
    await expect(helm('lint', '--strict', '--kube-version', KUBERNETES_VERSION, chart)).resolves.toContain(
      '0 chart(s) failed',
    );
  });

  test('refuses a cluster whose CEL is too old for the CRD', async () => {
    await expect(helm('template', chart, '--kube-version', '1.29.9')).rejects.toThrow(/kubeVersion: >=1\.30/);
  });

  test('fits a pre-release of a managed cluster', async () => {
    await expect(helm('template', chart, '--kube-version', '1.30.0-gke.100')).resolves.toContain(
      'kind: Deployment',
    );
  });

  test('names its objects after the release, and cluster-wide ones after its namespace too', async () => {
    const names = (await template('--namespace', 'ml')).map(
      ({ kind, metadata }) => `${kind}/${metadata.name}`,
    );
    expect(names).toContain('Deployment/headgate');
    expect(names).toContain('ClusterRole/ml-headgate');
  });

  test('puts every namespaced object into the release’s namespace', async () => {
    const clusterWide = [
      ...['CustomResourceDefinition', 'ClusterRole', 'ClusterRoleBinding'],
      ...['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'],
    ];
    const namespaced = (await template()).filter(({ kind }) => !clusterWide.includes(kind));
    expect(namespaced.map(({ metadata }) => metadata.namespace)).toEqual(
      namespaced.map(() => 'headgate-system'),
    );
  });

  test('ships the rule for prometheus-adapter as it is in its file', async () => {
    const name = 'headgate-prometheus-adapter-rule';
    const file = await readFile(join(chart, 'files/prometheus-adapter-rule.yaml'), 'utf8');
    expect(parse(only<ConfigMap>(await template(), 'ConfigMap', name).data['config.yaml'] ?? '')).toEqual(
      parse(file),
    );
    const without = await template('--set', 'prometheusAdapter.rule=false');
    expect(without.map(({ metadata }) => metadata.name)).not.toContain(name);
  });
});

describe('the CustomResourceDefinitions', () => {
  let files: KubernetesObject[];
  let rendered: KubernetesObject[];

  beforeAll(async () => {
    const folder = join(chart, 'files/crds');
    const texts = (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8'));
    files = (await Promise.all(texts)).flatMap(objectsOf);
    rendered = (await template()).filter(({ kind }) => kind === 'CustomResourceDefinition');
  });

  test('are part of the release', () => {
    expect(files.map(({ metadata }) => metadata.name)).toContain('modeldeployments.headgate.dev');
    expect(rendered.map(({ metadata }) => metadata.name)).toEqual(files.map(({ metadata }) => metadata.name));
  });

  test('survive helm uninstall', () => {
    for (const { metadata } of rendered)
      expect(metadata.annotations).toMatchObject({ 'helm.sh/resource-policy': 'keep' });
  });

  test('are those that were generated, to the last number', () => {
    const withoutAnnotations = (object: KubernetesObject): unknown => ({
      ...object,
      metadata: { ...object.metadata, annotations: undefined },
    });
    expect(rendered.map(withoutAnnotations)).toEqual(files.map(withoutAnnotations));
  });

  test('can be left to somebody else', async () => {
    const kinds = (await template('--set', 'crds.install=false')).map(({ kind }) => kind);
    expect(kinds).not.toContain('CustomResourceDefinition');
  });
});

describe('every rendered object', () => {
  let location: string;

  beforeAll(async () => {
    location = schemaLocation(await kubernetesSchemas());
  }, 120_000);

  async function kubeconform(yaml: string): Promise<string> {
    return run(part('kubeconform'), ['-strict', '-summary', '-schema-location', location, '-'], {
      input: yaml,
    });
  }

  test('is valid for the API server, with the defaults', async () => {
    await expect(kubeconform(await templateText())).resolves.toMatch(/Invalid: 0, Errors: 0, Skipped: 0/);
  });

  test('is valid for the API server, with every list and map filled', async () => {
    const filled = {
      imagePullSecrets: [{ name: 'registry' }],
      env: [{ name: 'A', value: 'b' }],
      tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }],
      affinity: { nodeAffinity: {} },
      topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }],
      podAnnotations: { team: 'ml' },
      podLabels: { team: 'ml' },
      watchNamespace: 'ml',
      gatewayNamespaces: ['istio-system'],
      serviceAccount: { create: true, name: 'operator', annotations: { team: 'ml' } },
      priorityClassName: 'system-cluster-critical',
    };
    const settings = Object.entries(filled).flatMap(([name, value]) => [
      '--set-json',
      `${name}=${JSON.stringify(value)}`,
    ]);
    await expect(kubeconform(await templateText(...settings))).resolves.toMatch(
      /Invalid: 0, Errors: 0, Skipped: 0/,
    );
  });

  test.each([
    ['an unknown field', 'replicas: 2', 'replica: 2', /additional propert.*replica/i],
    ['a wrong type', 'replicas: 2', 'replicas: two', /got string, want integer|expected integer/i],
    [
      'an unknown field of a container',
      'imagePullPolicy: IfNotPresent',
      'pullPolicy: IfNotPresent',
      /pullPolicy/,
    ],
  ])('would be found with %s', async (_, sound, seeded, complaint) => {
    const text = await templateText();
    expect(text).toContain(sound);
    await expect(kubeconform(text.replace(sound, seeded))).rejects.toThrow(complaint);
  });
});
