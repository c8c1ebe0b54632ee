import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { KubernetesObject } from '../../../operator/api/object.ts';
import { childrenOf, exampleModelDeployments } from '../../support/children.ts';
import { template } from '../render.ts';

const MODELS = 'ml';
const modelPolicy = ['--set', `networkPolicy.modelNamespaces={${MODELS}}`];

type Subject = () => Promise<readonly KubernetesObject[]>;

const byDefault: Subject = () => template();

const forOneNamespace: Subject = () =>
  template('--set', `watchNamespace=${MODELS},networkPolicy.restrictEgress=true`);

/** What scanners look at: the chart as it is installed, in its other mode, and what the operator makes of the examples. */
export const subjects: readonly Subject[] = [byDefault, forOneNamespace, childrenOfExamples];

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
