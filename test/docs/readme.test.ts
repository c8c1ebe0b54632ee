import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import vitestConfiguration from '../../vitest.config.ts';
import { repository } from '../bed/layout.ts';
import { anchorsOf, codeSpans, fencedBlocks, relativeLinks, tableRows } from './markdown.ts';
import { readPages } from './pages.ts';
import { valueRows } from './values-table.ts';

interface CustomResourceDefinition {
  readonly spec: {
    readonly versions: readonly {
      readonly additionalPrinterColumns: readonly { readonly name: string; readonly priority: number }[];
    }[];
  };
}

const read = (path: string): Promise<string> => readFile(join(repository, path), 'utf8');
const pages = await readPages();
const readme = await read('README.md');

describe('the README', () => {
  test('says what Headgate is for in five lines', () => {
    const [, opening = ''] = readme.split(/^# Headgate\n|^## .*$/m);
    expect(opening.trim().split('\n')).toHaveLength(5);
  });

  test('lists every value of the chart with its default and its comment', async () => {
    const rows = tableRows(readme.split('## Values of the chart')[1]?.split('\n## ')[0] ?? '');
    expect(rows.slice(1)).toEqual(valueRows(await read('charts/headgate/values.yaml')));
  });

  test('shows the columns that kubectl prints', async () => {
    const crd = parse(await read('crds/modeldeployments.yaml')) as CustomResourceDefinition;
    const columns = crd.spec.versions.flatMap(({ additionalPrinterColumns }) => additionalPrinterColumns);
    const narrow = columns.filter(({ priority }) => priority === 0).map(({ name }) => name);
    const header = ['NAME', ...narrow.map((name) => name.toUpperCase())];
    const shown = fencedBlocks(readme, 'console')
      .flatMap((block) => block.split('\n'))
      .filter((line) => line.startsWith('NAME'))
      .map((line) => line.split(/\s+/));
    expect(shown.length).toBeGreaterThan(0);
    expect(shown).toEqual(shown.map(() => header));
  });
});

describe('the architecture page', () => {
  test('names only functions of the plan that exist', async () => {
    const folders = ['operator/plan', 'operator/decisions', 'operator/status'].map((folder) =>
      join(repository, folder),
    );
    const files = await Promise.all(
      folders.map(async (folder) => (await readdir(folder)).map((file) => join(folder, file))),
    );
    const sources = await Promise.all(files.flat().map((file) => readFile(file, 'utf8')));
    const functions = sources.flatMap((source) =>
      [...source.matchAll(/^export function (\w+)/gm)].map(([, name]) => name),
    );
    const [block = ''] = fencedBlocks(await read('docs/architecture.md'), '');
    const named = block.split('\n').flatMap((line) => /^(?:plan)? +(\w+) {2}/.exec(line)?.[1] ?? []);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !functions.includes(name))).toEqual([]);
  });
});

describe.each(pages)('$path', ({ path, text }) => {
  test('has only links that lead somewhere', async () => {
    const broken: string[] = [];
    for (const link of relativeLinks(text)) {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : normalize(join(dirname(path), file));
      const leads =
        existsSync(join(repository, target)) &&
        (anchor === undefined || anchorsOf(await read(target)).includes(anchor));
      if (!leads) broken.push(link);
    }
    expect(broken).toEqual([]);
  });

  test('names only make targets that exist', async () => {
    const targets = [...(await read('Makefile')).matchAll(/^([a-z-]+):/gm)].map(([, name]) => name);
    const code = [...codeSpans(text), ...fencedBlocks(text, 'console')].join('\n');
    const named = [...code.matchAll(/^(?:\$ )?make ([a-z-]+)/gm)].map(([, name]) => name);
    expect(named.filter((name) => !targets.includes(name))).toEqual([]);
  });

  test('names only tiers of tests that exist', () => {
    const projects = (vitestConfiguration.test?.projects ?? []).map((project) =>
      typeof project === 'object' && 'test' in project ? project.test.name : undefined,
    );
    const named = [...text.matchAll(/--project ([a-z0-9-]+)/g)].map(([, name]) => name);
    expect(named.filter((name) => !projects.includes(name))).toEqual([]);
  });

  test('names only files and folders of this repository that exist', () => {
    const places = codeSpans(text).filter((span) =>
      /^(?:operator|runtime|crds|charts|examples|test|bench|docs|scripts)\/[\w./-]*$/.test(span),
    );
    expect(places.filter((place) => !/NAME/.test(place) && !existsSync(join(repository, place)))).toEqual([]);
  });
});
