import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { buildCustomResourceDefinition } from '../operator/api/crd.ts';
import { buildReference } from './reference.ts';
import { buildRules } from './rules.ts';

/**
 * Writes everything that derives from the schema in operator/api and from the rights that operator/kube/grants.ts
 * declares; with --check it writes nothing and fails, naming each file that is not what they say.
 */
const root = join(import.meta.dirname, '..');
const definition = `# Written by scripts/generate.ts from the schema in operator/api; change it there and run \`npm run generate\`.
${stringify(buildCustomResourceDefinition(), { lineWidth: 0, aliasDuplicateObjects: false })}`;

const generated: readonly (readonly [path: string, content: string])[] = [
  ['crds/modeldeployments.yaml', definition],
  ['charts/headgate/files/crds/modeldeployments.yaml', definition],
  ['charts/headgate/templates/_rules.tpl', buildRules()],
  ['docs/reference.md', buildReference()],
];

const isCheck = process.argv.includes('--check');
for (const [path, content] of generated) {
  const file = join(root, path);
  const present = await readFile(file, 'utf8').catch(() => undefined);
  if (present === content) continue;
  if (isCheck) {
    console.error(`${path} is not what its source says; run \`npm run generate\` and commit it`);
    process.exitCode = 1;
  } else {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    console.log(`wrote ${path}`);
  }
}
