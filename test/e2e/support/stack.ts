import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { serviceAccountUser } from '../../bed/audit.ts';
import { readBed, startBed, type Bed } from '../../bed/bed.ts';
import type { EarlierRelease } from '../../bed/earlier-release.ts';
import type { Image } from '../../bed/image-cache.ts';
import { ensureProjectImage, runtimeImage } from '../../bed/images.ts';
import { addresses, repository } from '../../bed/layout.ts';
import { startModelServer } from '../../bed/model-server.ts';
import { part } from '../../bed/programs.ts';
import { run } from '../../bed/shell.ts';

/** Where and as whom the operator runs. */
export const operator = {
  namespace: 'headgate-system',
  name: 'headgate',
  selector: 'app.kubernetes.io/name=headgate',
  user: serviceAccountUser('headgate-system', 'headgate'),
} as const;

/** Everything real: a cluster with mesh and metrics, Headgate installed by its chart, and a place to fetch models from. */
export interface Stack {
  readonly bed: Bed;
  /** The uri of a file of examples/models. */
  modelUri(file: string): string;
}

/**
 * Brings up what is not up yet: the bed, both images, the release. Done once for a run of the e2e tier; an installation of
 * the same images and chart stays as it is.
 */
export async function ensureStack(print: (line: string) => void = console.log): Promise<Bed> {
  const [bed, operatorBuilt, runtimeBuilt] = await Promise.all([
    startBed({ print }),
    ensureProjectImage('operator'),
    ensureProjectImage('runtime'),
  ]);
  await Promise.all([bed.importImage(operatorBuilt), bed.importImage(runtimeBuilt)]);
  await bed.kubectl.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: restrictedNamespace(operator.namespace) },
  ]);
  await installRelease(bed, operatorBuilt);
  return bed;
}

/** A namespace that lets in no pod above the restricted standard. */
export function restrictedNamespace(name: string): object {
  return { name, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } };
}

/** Installs or upgrades the release: the repository's chart and operator, or those of an earlier release. */
export async function installRelease(bed: Bed, built: Image, earlier?: EarlierRelease): Promise<void> {
  const knows = (value: string): boolean => earlier?.knows(value) ?? true;
  await helm(
    bed,
    ...['upgrade', '--install', operator.name, earlier?.chart ?? join(repository, 'charts/headgate')],
    ...['--wait', '--timeout', '180s'],
    ...imageValues(built.reference),
    ...(knows('trafficPolicy') ? ['--set-json', `trafficPolicy=${JSON.stringify(trafficPolicy)}`] : []),
    // The models of the tests are served on the node's own address.
    ...(knows('modelSources') ? ['--set', `modelSources.allow={${addresses.node}}`] : []),
    // Each of the operators that are killed during rollouts is missed for so long; one that is only slow must keep it.
    ...(knows('leaseSeconds') ? ['--set', 'leaseSeconds=9'] : []),
    // The tag stays the same when the image changes, and an unchanged pod template would keep the old pod.
    ...['--set-string', `podAnnotations.image=${built.hash}`],
  );
}

/** What the README allows as well. */
const trafficPolicy = [{ namespaces: ['*'], gateways: ['istio-system/*'], hosts: ['*'] }];

function imageValues(operatorImage: string): string[] {
  const [operatorRepository, operatorTag] = operatorImage.split(/:(?=[^/]+$)/);
  const [runtimeRepository, runtimeTag] = runtimeImage.split(/:(?=[^/]+$)/);
  return [
    ...['--set', `image.repository=${operatorRepository},image.tag=${operatorTag},image.pullPolicy=Never`],
    ...['--set', `runtimeImage.repository=${runtimeRepository},runtimeImage.tag=${runtimeTag}`],
  ];
}

/** The pod of the operator that works. */
export async function leaderPod(bed: Bed): Promise<string | undefined> {
  const lease = await bed.kubectl.json('get', 'lease', operator.name, '-n', operator.namespace);
  return (lease as { spec: { holderIdentity?: string } }).spec.holderIdentity?.split('_')[0];
}

/** helm against the bed, in the operator's namespace, with nothing of the user's own configuration; all that it says. */
export async function helm(bed: Bed, ...args: string[]): Promise<string> {
  const home = join(bed.layout.folder, 'helm');
  return await run(
    part('helm'),
    [...args, '--kubeconfig', bed.kubeconfig, '--namespace', operator.namespace],
    {
      env: { HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home },
      withErrorOutput: true,
    },
  );
}

/** The stack for the tests of one file; global-setup.ts has brought it up. */
export function useStack(): Stack {
  let models: Awaited<ReturnType<typeof startModelServer>> | undefined;
  let bed: Bed | undefined;
  beforeAll(async () => {
    bed = readBed();
    models = await startModelServer(bed, join(repository, 'examples/models'));
  });
  afterAll(async () => {
    await models?.stop();
  });
  return {
    get bed(): Bed {
      if (bed === undefined) throw new Error('the bed is there only from beforeAll on');
      return bed;
    },
    modelUri: (file) => {
      if (models === undefined) throw new Error('models can be fetched only from beforeAll on');
      return `${models.url}/${file}`;
    },
  };
}
