import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { PHASES } from '../../operator/api/status.ts';
import { repository } from '../bed/layout.ts';
import { runLua } from './lua.ts';

/**
 * Argo CD's own test format, executed: its repository has a health_test.yaml beside each health.lua and an
 * action_test.yaml beside each actions/discovery.lua, and walks the folder in just this way.
 */
const customizations = join(repository, 'argocd/resource_customizations');
const files = (await readdir(customizations, { recursive: true })).sort();

interface HealthTest {
  readonly inputPath: string;
  readonly healthStatus: { readonly status: string; readonly message: string };
}

interface DiscoveryTest {
  readonly inputPath: string;
  readonly result: readonly ResourceAction[];
}

interface ResourceAction {
  readonly name: string;
  readonly disabled: boolean;
}

interface ActionTest {
  readonly action: string;
  readonly inputPath: string;
  readonly expectedOutputPath: string;
}

async function yamlOf(...path: readonly string[]): Promise<unknown> {
  return parse(await readFile(join(customizations, ...path), 'utf8')) as unknown;
}

async function scriptOf(...path: readonly string[]): Promise<string> {
  return await readFile(join(customizations, ...path), 'utf8');
}

async function entriesOf<Test>(
  file: string,
  list: string,
): Promise<readonly (Test & { readonly folder: string })[]> {
  const folders = files.filter((name) => name.endsWith(`/${file}`)).map((name) => dirname(name));
  const lists = await Promise.all(
    folders.map(async (folder) => {
      const tests = ((await yamlOf(folder, file)) as Record<string, readonly Test[]>)[list] ?? [];
      return tests.map((test) => ({ ...test, folder }));
    }),
  );
  return lists.flat();
}

/** Names end in the time at which they were made. */
function withoutTime(created: unknown): unknown {
  return JSON.parse(JSON.stringify(created).replaceAll(/-\d{10}"/g, '-TIME"')) as unknown;
}

const healthTests = await entriesOf<HealthTest>('health_test.yaml', 'tests');
const discoveryTests = await entriesOf<DiscoveryTest>('action_test.yaml', 'discoveryTests');
const actionTests = await entriesOf<ActionTest>('action_test.yaml', 'actionTests');

describe('the health that Argo CD shows', () => {
  it.each(healthTests)(
    'of $folder/$inputPath is $healthStatus.status',
    async ({ folder, inputPath, healthStatus }) => {
      const script = await scriptOf(folder, 'health.lua');
      await expect(runLua(script, await yamlOf(folder, inputPath))).resolves.toEqual(healthStatus);
    },
  );

  it.each(PHASES)('is known for the phase %s', async (phase) => {
    const script = await scriptOf('headgate.dev/ModelDeployment/health.lua');
    const object = { metadata: { generation: 1 }, status: { phase, observedGeneration: 1, message: 'so' } };
    const { status } = (await runLua(script, object)) as { readonly status: string };
    expect(status).not.toBe('Unknown');
    expect(status === 'Healthy').toBe(phase === 'Healthy');
  });
});

describe('the actions that Argo CD offers', () => {
  it.each(discoveryTests)(
    'for $folder/$inputPath are those that make sense',
    async ({ folder, inputPath, result }) => {
      const offered = (await runLua(
        await scriptOf(folder, 'discovery.lua'),
        await yamlOf(folder, inputPath),
      )) as Record<string, { readonly disabled: boolean }>;
      const actions = Object.entries(offered).map(([name, { disabled }]) => ({ name, disabled }));
      const sorted = (list: readonly ResourceAction[]): readonly string[] =>
        list.map(({ name, disabled }) => `${name} ${disabled}`).sort();
      expect(sorted(actions)).toEqual(sorted(result));
    },
  );

  it.each(actionTests)('$action of $folder creates the decision', async (test) => {
    const { folder, action, inputPath, expectedOutputPath } = test;
    const created = await runLua(
      await scriptOf(folder, action, 'action.lua'),
      await yamlOf(folder, inputPath),
    );
    expect(withoutTime(created)).toEqual(withoutTime(await yamlOf(folder, expectedOutputPath)));
  });

  it('each have a script and a test', () => {
    const scripts = files
      .filter((name) => name.endsWith('/action.lua'))
      .map((name) => name.split('/').at(-2));
    const offered = discoveryTests[0]?.result.map(({ name }) => name) ?? [];
    expect(scripts.sort()).toEqual([...offered].sort());
    expect(actionTests.map(({ action }) => action).sort()).toEqual([...offered].sort());
    expect(offered.length).toBeGreaterThan(0);
  });
});
