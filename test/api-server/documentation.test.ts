import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startApiServer, type RunningApiServer } from '../bed/api-server.ts';
import { repository } from '../bed/layout.ts';
import { part } from '../bed/programs.ts';
import { fencedBlocks } from '../docs/markdown.ts';
import { readPages } from '../docs/pages.ts';

const pages = await readPages();
const manifests = pages.flatMap(({ path, text }) =>
  fencedBlocks(text, 'yaml').map((yaml, index) => ({ title: `${path}, number ${index + 1}`, yaml })),
);
const patches = pages.flatMap(({ text }) =>
  [...text.matchAll(/kubectl patch modeldeployment fraud --type merge -p '(.+)'/g)].map(
    ([, patch = '']) => patch,
  ),
);

/** Every manifest of the documentation, as a reader would apply it. */
describe('the documentation on a real API server', () => {
  let server: RunningApiServer;

  beforeAll(async () => {
    server = await startApiServer();
    const crd = await readFile(join(repository, 'crds/modeldeployments.yaml'), 'utf8');
    await server.kubectl.apply(crd);
    await server.kubectl.apply(await readFile(part('istio-crds.yaml'), 'utf8'));
    await server.kubectl.established('crd', '--all');
    for (const name of ['istio-system', 'ml']) await server.kubectl('create', 'namespace', name);
  });

  afterAll(async () => {
    await server.stop();
  });

  async function apply(yaml: string, ...args: string[]): Promise<string> {
    const file = join(server.folder, 'manifest.yaml');
    await writeFile(file, yaml);
    return await server.kubectl('apply', '--validate=strict', '-f', file, ...args);
  }

  test.each(manifests)('lets in the manifest of $title', async ({ yaml }) => {
    await expect(apply(yaml, '--dry-run=server')).resolves.toMatch(/created|configured|unchanged/);
  });

  test('would refuse a manifest with a field that does not exist', async () => {
    const [{ yaml } = { yaml: '' }] = manifests;
    await expect(apply(yaml.replace('uri:', 'url:'), '--dry-run=server')).rejects.toThrow(/url/);
  });

  test.each(patches)('takes the patch %s', async (patch) => {
    const [{ yaml } = { yaml: '' }] = manifests;
    await apply(yaml);
    const patched = server.kubectl('patch', 'modeldeployment', 'fraud', '--type', 'merge', '-p', patch);
    await expect(patched).resolves.toContain('patched');
  });
});
