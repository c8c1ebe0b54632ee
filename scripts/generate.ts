import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { buildCustomResourceDefinitions } from '../operator/api/crd.ts';
import { buildArgoCdFiles } from './argo-cd.ts';
import { buildFileDescriptors } from './file-descriptors.ts';
import { buildReference } from './reference.ts';
import { buildRules } from './rules.ts';

/**
 * Writes everything that derives from the schema in operator/api, from the rights that operator/kube/grants.ts declares
 * and from the .proto files of the runtime; with --check it writes nothing and fails, naming each file that is not what they say.
 */
const root = join(import.meta.dirname, '..');
const definitions = buildCustomResourceDefinitions().map((definition) => ({
  file: `${String(definition.metadata.name.split('.')[0])}.yaml`,
  content: `# Written by scripts/generate.ts from the schema in operator/api; change it there and run \`npm run generate\`.
${stringify(definition, { lineWidth: 0, aliasDuplicateObjects: false })}`,
}));

const generated: readonly (readonly [path: string, content: string])[] = [
  ...['crds', 'charts/headgate/files/crds'].flatMap((folder) =>
    definitions.map(({ file, content }) => [join(folder, file), content] as const),
  ),
  ['charts/headgate/templates/_rules.tpl', buildRules()],
  ['docs/reference.md', buildReference()],
  ['runtime/grpc/file-descriptors.ts', buildFileDescriptors(root)],
  ...(await buildArgoCdFiles(root)),
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
