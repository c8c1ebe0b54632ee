import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { chart, template } from './render.ts';

interface ValuesSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly additionalProperties?: unknown;
  readonly properties?: Readonly<Record<string, ValuesSchema>>;
  readonly items?: ValuesSchema;
  readonly definitions?: Readonly<Record<string, ValuesSchema>>;
}

const valuesText = await readFile(join(chart, 'values.yaml'), 'utf8');
const values = parse(valuesText) as Readonly<Record<string, unknown>>;
const schema = JSON.parse(await readFile(join(chart, 'values.schema.json'), 'utf8')) as ValuesSchema;

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where an object of the schema lists its fields, only those are allowed. */
function openObjects(node: ValuesSchema, path: string): string[] {
  const below = [
    ...Object.entries(node.properties ?? {}).map(([name, child]) => [`${path}.${name}`, child] as const),
    ...(node.items === undefined ? [] : [[`${path}[]`, node.items] as const]),
  ];
  const open = node.properties !== undefined && node.additionalProperties !== false;
  return [...(open ? [path] : []), ...below.flatMap(([childPath, child]) => openObjects(child, childPath))];
}

/** The fields that schema and values.yaml both could have, as paths that only one of them has. */
function differences(node: ValuesSchema, value: unknown, path: string): string[] {
  // {} stands for a map that the user may fill.
  if (node.properties === undefined || !isMap(value) || Object.keys(value).length === 0) return [];
  const names = new Set([...Object.keys(node.properties), ...Object.keys(value)]);
  return [...names].flatMap((name) => {
    const child = node.properties?.[name];
    if (child === undefined || !(name in value)) return [`${path}.${name}`];
    return differences(child, value[name], `${path}.${name}`);
  });
}

describe('values.yaml', () => {
  test('explains every value in the line above it', () => {
    const lines = valuesText.split('\n');
    const bare = lines.filter(
      (line, index) => /^\s*[\w./-]+:/.test(line) && !(lines[index - 1] ?? '').trimStart().startsWith('#'),
    );
    expect(bare).toEqual([]);
  });

  test('has exactly the values that the schema knows', () => {
    // Helm hands `global` to every chart; ours has none.
    expect(differences(schema, values, 'values')).toEqual(['values.global']);
  });
});

describe('values.schema.json', () => {
  test('closes every object whose fields it lists', () => {
    expect(openObjects(schema, 'values')).toEqual([]);
  });

  test.each([
    ['an unknown value', 'replicaCount=2'],
    ['no replica', 'replicas=0'],
    ['an unknown value further down', 'image.name=x'],
    ['a tag that is a number', 'image.tag=1'],
    ['a tag in the repository', 'image.repository=localhost/operator:dev@x'],
    ['an address with a scheme among the allowed', 'modelSources.allow[0]=http://10.0.0.1'],
    ['a malformed digest', 'image.digest=sha256:12'],
    ['an unknown pull policy', 'image.pullPolicy=Sometimes'],
    ['an unknown log level', 'log.level=loud'],
    ['a word for a truth value', 'crds.install=maybe'],
    ['a gateway namespace that no namespace can be called', 'gatewayNamespaces={istio_system}'],
    ['no repository', 'runtimeImage.repository='],
    ['a malformed quantity', 'resources.limits.memory=much'],
    ['an unknown resource', 'resources.limits.disk=1'],
    ['a grace period of nothing', 'terminationGracePeriodSeconds=0'],
    ['a name that no object can have', 'fullnameOverride=Head_Gate'],
    ['a variable that another value sets', 'env[0].name=HEADGATE_RUNTIME_IMAGE'],
    ['an unknown field of a toleration', 'tolerations[0].effects=NoSchedule'],
    ['an annotation that is no text', 'podAnnotations.x=true'],
    ['an unknown field of a traffic policy', 'trafficPolicy[0].namespace=ml'],
    ['a traffic policy without hosts', 'trafficPolicy[0].namespaces={ml},trafficPolicy[0].gateways={public}'],
  ])('refuses %s', async (_, setting) => {
    const name = setting.slice(0, setting.search(/[[=.]/));
    await expect(template('--set', setting)).rejects.toThrow(new RegExp(`schema.*${name}`, 's'));
  });

  test.each([
    ['values of a chart around this one', '{"global":{"region":"eu"}}'],
    ['quantities as numbers', '{"resources":{"limits":{"cpu":1.5,"memory":"1Gi"}}}'],
    ['a default taken away', '{"nodeSelector":{"kubernetes.io/os":null},"resources":{"limits":null}}'],
    [
      'ranges and names to load models from',
      '{"modelSources":{"allow":["10.0.0.0/8","fd00::/8","*.corp.example.com"]}}',
    ],
    ['further environment', '{"env":[{"name":"HTTPS_PROXY","value":"http://proxy.example.com"}]}'],
  ])('accepts %s', async (_, json) => {
    const settings = Object.entries(JSON.parse(json) as object).flatMap(([name, value]) => [
      '--set-json',
      `${name}=${JSON.stringify(value)}`,
    ]);
    await expect(template(...settings)).resolves.not.toEqual([]);
  });
});
