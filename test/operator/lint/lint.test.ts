import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lint } from '../../../operator/lint/lint.ts';
import { fencedBlocks } from '../../docs/markdown.ts';
import { readPages } from '../../docs/pages.ts';
import { examplesFolder, invalidExamples } from '../../support/examples.ts';

const invalid = await invalidExamples();
const valid = (await readdir(examplesFolder, { recursive: true }))
  .filter((name) => name.endsWith('.yaml') && !name.startsWith('invalid'))
  .sort();
const manifests = (await readPages()).flatMap(({ path, text }) =>
  fencedBlocks(text, 'yaml').map((yaml, index) => ({ title: `${path}, number ${index + 1}`, yaml })),
);

function manifest(...spec: readonly string[]): string {
  return [
    'apiVersion: headgate.dev/v1alpha1',
    'kind: ModelDeployment',
    'metadata: { name: fraud }',
    'spec:',
    '  model: { uri: https://models.example.com/fraud.onnx }',
    ...spec.map((line) => `  ${line}`),
    '',
  ].join('\n');
}

describe('lint', () => {
  it.each(invalid)(
    'finds in $name what an API server refuses, in the same words',
    ({ text, field, messages }) => {
      const { findings } = lint(text);
      const said = findings.map((finding) => `${finding.field} ${finding.message}`);
      for (const message of messages) expect(said).toContainEqual(expect.stringContaining(message));
      expect(said).toContainEqual(expect.stringContaining(field));
    },
  );

  it.each(valid)('has nothing to say of examples/%s', async (name) => {
    const { objects, findings } = lint(await readFile(join(examplesFolder, name), 'utf8'));
    expect(findings).toEqual([]);
    expect(objects).toBeGreaterThan(0);
  });

  it.each(manifests)('has nothing to say of the manifest of $title', ({ yaml }) => {
    expect(lint(yaml).findings).toEqual([]);
  });

  it('says in which line and column the mistake is', () => {
    const { findings } = lint(manifest('scaling:', '  minReplicas: 3', '  maxReplicas: many'));
    expect(findings).toEqual([
      { line: 8, column: 18, field: 'spec.scaling.maxReplicas', message: 'must be of type integer' },
    ]);
  });

  it('points to what a missing field belongs to', () => {
    const text =
      'apiVersion: headgate.dev/v1alpha1\nkind: ModelDeployment\nmetadata: { name: a }\nspec:\n  model: {}\n';
    expect(lint(text).findings).toEqual([
      { line: 5, column: 10, field: 'spec.model.uri', message: 'Required value' },
    ]);
  });

  it('counts what is left out as its default, as the API server does', () => {
    const [finding] = lint(manifest('scaling: { minReplicas: 20 }')).findings;
    expect(finding?.message).toContain('raise maxReplicas or lower minReplicas');
    expect(lint(manifest('scaling: { minReplicas: 10 }')).findings).toEqual([]);
  });

  it('finds every mistake at once', () => {
    const { findings } = lint(
      manifest(
        'scaling: { minReplicas: 0, replicas: 2 }',
        'traffic: { pathPrefix: fraud, hosts: [Fraud.com] }',
      ),
    );
    expect(findings.map(({ field }) => field).sort()).toEqual([
      'spec.scaling.minReplicas',
      'spec.scaling.replicas',
      'spec.traffic',
      'spec.traffic.hosts[0]',
      'spec.traffic.pathPrefix',
    ]);
  });

  it('reads all documents of a text and all items of a List', () => {
    const one = manifest('scaling: { minReplicas: 0 }');
    const list = `apiVersion: v1\nkind: List\nitems:\n${one.replaceAll(/^(.)/gm, '    $1').replace('    apiVersion', '  - apiVersion')}`;
    const { objects, findings } = lint(`${one}---\n${list}`);
    expect(objects).toBe(2);
    expect(findings.map(({ line, field }) => `${line} ${field}`)).toEqual([
      '6 spec.scaling.minReplicas',
      '16 spec.scaling.minReplicas',
    ]);
  });

  it('passes over objects of other kinds, and over empty documents', () => {
    expect(lint('---\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\nspec: 7\n')).toEqual({
      objects: 0,
      findings: [],
    });
  });

  it('says where a text is no YAML', () => {
    const [finding] = lint('apiVersion: headgate.dev/v1alpha1\nkind: [ModelDeployment\n').findings;
    expect(finding?.line).toBe(3);
    expect(finding?.message).not.toBe('');
  });

  it('refuses an object of ours at a version that does not exist', () => {
    const [finding] = lint(manifest().replace('v1alpha1', 'v1')).findings;
    expect(finding).toMatchObject({ line: 1, field: 'apiVersion' });
    expect(finding?.message).toContain('headgate.dev/v1alpha1');
  });
});
