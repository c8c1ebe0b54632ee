import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KubernetesObject } from '../../operator/api/object.ts';
import { part } from '../bed/programs.ts';
import { run } from '../bed/shell.ts';

export const repository = join(import.meta.dirname, '../..');
export const chart = join(repository, 'charts/headgate');

/** helm takes the cluster's own version when it installs; without a cluster it has to be told. */
export const KUBERNETES_VERSION = '1.34.4';

/** Runs helm with no configuration of the machine's user. */
export async function helm(...args: string[]): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'headgate-helm-'));
  try {
    return await run(part('helm'), args, {
      env: { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home, KUBECONFIG: '/dev/null' },
    });
  } finally {
    await rm(home, { recursive: true });
  }
}

export function templateText(...args: string[]): Promise<string> {
  const release = ['headgate', chart, '--namespace', 'headgate-system', '--kube-version', KUBERNETES_VERSION];
  return helm('template', ...release, ...args);
}

/** What an installation with these values would send to the API server. */
export async function template(...args: string[]): Promise<KubernetesObject[]> {
  return objectsOf(await templateText(...args));
}

export function objectsOf(yaml: string): KubernetesObject[] {
  return parseAllDocuments(yaml)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}

/** The one object of a kind (and name) among many, as the type that the caller knows it to be. */
export function only<Kind extends KubernetesObject>(
  objects: readonly KubernetesObject[],
  kind: Kind['kind'],
  name?: string,
): Kind {
  const found = objects.filter(
    (object) => object.kind === kind && (name === undefined || object.metadata.name === name),
  );
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw new Error(
      `${found.length} objects of kind ${kind}${name === undefined ? '' : ` named ${name}`}, not one`,
    );
  }
  return first as Kind;
}
