import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelDeployment } from '../../operator/api/model-deployment.ts';
import { startApiServer, type RunningApiServer } from '../bed/api-server.ts';
import { examplesFolder, invalidExamples, type InvalidExample } from '../support/examples.ts';

const definition = join(import.meta.dirname, '../../crds');
const valid = (await readdir(examplesFolder)).filter((name) => name.endsWith('.yaml'));
const invalid = await invalidExamples();
const smallest = await readFile(join(examplesFolder, 'minimal.yaml'), 'utf8');

/** Each in a namespace of its own, so that a creation never meets an object of the same name. */
const namespaces = ['creations', 'updates', ...valid.map((name) => name.replace('.yaml', ''))];

describe('admission by a real API server', () => {
  let server: RunningApiServer;

  beforeAll(async () => {
    server = await startApiServer();
    await server.kubectl('apply', '-f', definition);
    await server.kubectl.established('-f', definition);
    await server.kubectl.apply(
      namespaces.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    );
    await server.kubectl('apply', '-n', 'updates', '-f', join(examplesFolder, 'minimal.yaml'));
  });

  afterAll(async () => {
    await server.stop();
  });

  /** As a person does it; kubectl asks for unknown fields to be refused. */
  async function refusalOf({ path }: InvalidExample, namespace: string): Promise<string> {
    const outcome = await server
      .kubectl('apply', '-n', namespace, '-f', path)
      .catch((error: unknown) => error);
    expect(outcome, 'kubectl apply succeeded').toBeInstanceOf(Error);
    return (outcome as Error).message;
  }

  async function liveInNamespace(namespace: string): Promise<ModelDeployment[]> {
    const list = await server.kubectl.json('get', 'modeldeployments', '-n', namespace);
    return (list as { readonly items: ModelDeployment[] }).items;
  }

  describe('of creations', () => {
    test.concurrent.each(invalid)('refuses $name, with the field and the remedy', async (example) => {
      const refusal = await refusalOf(example, 'creations');
      expect(refusal).toContain(example.field);
      for (const message of example.messages) expect(refusal).toContain(message);
    });

    test('has let nothing in', async () => {
      await expect(liveInNamespace('creations')).resolves.toEqual([]);
    });
  });

  describe('of updates', () => {
    const sameName = invalid.filter(({ text }) => text.includes('name: fraud }'));

    test.concurrent.each(sameName)('refuses $name', async (example) => {
      const refusal = await refusalOf(example, 'updates');
      for (const message of example.messages) expect(refusal).toContain(message);
    });

    test('has left the object as it was', async () => {
      const live = await liveInNamespace('updates');
      expect(live.map(({ metadata }) => [metadata.name, metadata.generation])).toEqual([['fraud', 1]]);
    });
  });

  test.each(valid)('accepts examples/%s', async (name) => {
    const namespace = name.replace('.yaml', '');
    await server.kubectl('apply', '-n', namespace, '-f', join(examplesFolder, name));
    expect((await liveInNamespace(namespace)).length).toBeGreaterThan(0);
  });

  test('fills in the documented defaults of the smallest object', async () => {
    const [live] = await liveInNamespace('minimal');
    expect(live?.spec).toEqual({
      model: { uri: 'https://models.example.com/fraud/3/model.onnx' },
      scaling: { minReplicas: 1, maxReplicas: 10, targetP95: '100ms' },
      traffic: { pathPrefix: '/', timeout: '30s', retries: { attempts: 0 }, router: 'Automatic' },
      rollout: {
        strategy: 'Canary',
        abortOn: { errorRatePercent: 5, progressDeadline: '10m' },
        revisionHistoryLimit: 10,
      },
    });
  });

  test('a step of an unknown kind meets the remedy where a client does not ask for strictness', async () => {
    const manifest = `${smallest}  rollout: { canary: { steps: [{ approval: {} }] } }\n`;
    await expect(
      server.kubectl('create', '--validate=false', '-n', 'creations', '-f', await saved(manifest)),
    ).rejects.toThrow('must hold exactly one of weight or pause in each step');
  });

  test('a name of 52 characters, the longest, is let in', async () => {
    const name = `${'m'.repeat(51)}x`;
    const manifest = smallest.replace('name: fraud', `name: ${name}`);
    const answer = await server.kubectl('create', '--dry-run=server', '-f', await saved(manifest));
    expect(answer).toContain(`${name} created`);
  });

  test('a status is written by its own way only', async () => {
    const patch = [
      'patch',
      'mdep',
      'fraud',
      '-n',
      'minimal',
      '--type=merge',
      '-p',
      '{"status":{"phase":"Healthy"}}',
    ];
    await server.kubectl(...patch);
    expect((await liveInNamespace('minimal'))[0]?.status).toBeUndefined();
    await server.kubectl(...patch, '--subresource=status');
    expect((await liveInNamespace('minimal'))[0]?.status).toEqual({ phase: 'Healthy' });
  });

  test('kubectl get tells how it is going, and with -o wide why', async () => {
    const columns = [
      'NAME',
      'PHASE',
      'REASON',
      'STRATEGY',
      'STEP',
      'WEIGHT',
      'STABLE',
      'CANDIDATE',
      'READY',
      'AGE',
    ];
    const headOf = async (...args: string[]): Promise<string[]> =>
      (await server.kubectl('get', 'mdep', '-n', 'minimal', ...args))
        .split('\n', 1)
        .join()
        .trim()
        .split(/ +/);
    await expect(headOf()).resolves.toEqual(columns);
    await expect(headOf('-o', 'wide')).resolves.toEqual([...columns, 'P95', 'URL', 'ROLLOUT', 'MESSAGE']);
  });

  test('kubectl explain tells what a field means, its default and an example', async () => {
    const explain = async (field: string): Promise<string> =>
      (await server.kubectl('explain', `mdep.spec.${field}`)).replaceAll(/\s+/g, ' ');
    await expect(explain('rollout.abortOn.errorRatePercent')).resolves.toMatch(
      /share of failed requests.+Default: 5\./,
    );
    await expect(explain('resources.gpu.mig')).resolves.toMatch(
      /MIG profile.+No default\. Example: 1g\.10gb\./,
    );
  });

  async function saved(manifest: string): Promise<string> {
    const path = join(server.folder, `${crypto.randomUUID()}.yaml`);
    await writeFile(path, manifest);
    return path;
  }
});
