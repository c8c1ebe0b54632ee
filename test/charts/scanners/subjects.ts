import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { childrenOf, exampleModelDeployments } from '../../support/children.ts';
import { template } from '../render.ts';

const MODELS = 'ml';
const modelPolicy = ['--set', `networkPolicy.modelNamespaces={${MODELS}}`];

/** What scanners look at: the chart as it is installed, in its other mode, and with what the operator makes. */
export const subjects: readonly (readonly [title: string, () => Promise<readonly KubernetesObject[]>])[] = [
  ['the chart with its defaults', () => template()],
  [
    'the chart for one namespace',
    () => template('--set', `watchNamespace=${MODELS},networkPolicy.restrictEgress=true`),
  ],
  ['the children of the examples', childrenOfExamples],
];

async function childrenOfExamples(): Promise<readonly KubernetesObject[]> {
  const policies = (await template(...modelPolicy)).filter(
    ({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.namespace === MODELS,
  );
  return [...policies, ...(await exampleModelDeployments(MODELS)).flatMap(childrenOf)];
}

/** The objects as a file of manifests in a folder of its own. */
export async function writeManifests(objects: readonly KubernetesObject[]): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'headgate-scan-')), 'manifests.yaml');
  await writeFile(
    file,
    objects.map((object) => stringify(object, { aliasDuplicateObjects: false })).join('---\n'),
  );
  return file;
}
