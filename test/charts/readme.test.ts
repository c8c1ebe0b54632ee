import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fencedBlocks } from '../docs/markdown.ts';
import type { Deployment } from './kinds.ts';
import { only, repository, template } from './render.ts';

test('what the README installs runs the images that it builds', async () => {
  const readme = await readFile(join(repository, 'README.md'), 'utf8');
  const commands = fencedBlocks(readme, 'console').join('\n');
  const settings = [...commands.matchAll(/--set (\S+)/g)].flatMap(([, setting = '']) => ['--set', setting]);
  const built = [...commands.matchAll(/docker build -f \w+\/Dockerfile -t (\S+)/g)].map(([, image]) => image);
  const [operator] = only<Deployment>(await template(...settings), 'Deployment').spec.template.spec
    .containers;
  const runtimeImage = operator?.env.find(({ name }) => name === 'HEADGATE_RUNTIME_IMAGE')?.value;
  expect([operator?.image, runtimeImage]).toEqual(built);
});
