import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from './programs.ts';
import { run } from './shell.ts';

/** Image storage of our own; in a mount namespace of its own, for buildah leaves its storage mounted. */
const storage = join(cacheFolder, 'buildah');

function buildah(args: readonly string[]): Promise<string> {
  return run('unshare', [
    ...['--mount', '--propagation', 'private', '--', 'buildah'],
    ...['--root', join(storage, 'root'), '--runroot', join(storage, 'run'), '--storage-driver', 'overlay'],
    ...args,
  ]);
}

export interface BuildRequest {
  readonly dockerfile: string;
  readonly context: string;
  readonly reference: string;
}

/** Builds an ordinary Dockerfile without a container engine; its base images must be in the storage already. */
export async function build(request: BuildRequest): Promise<void> {
  await mkdir(join(cacheFolder, 'npm'), { recursive: true });
  await buildah([
    ...[
      'bud',
      '--isolation',
      'chroot',
      '--network',
      'host',
      '--layers',
      '--pull-never',
      '--format',
      'docker',
    ],
    ...machineVolumes().flatMap((volume) => ['--volume', volume]),
    ...['--tag', request.reference, '--file', request.dockerfile, request.context],
  ]);
}

/** How this machine reaches the npm registry (its certificates and settings), lent to the build and never part of an image. */
function machineVolumes(): string[] {
  const settings = join(homedir(), '.npmrc');
  return [
    `${join(cacheFolder, 'npm')}:/root/.npm:rw`,
    ...(existsSync('/etc/ssl/certs/ca-certificates.crt') ? ['/etc/ssl/certs:/etc/ssl/certs:ro'] : []),
    ...(existsSync(settings) ? [`${settings}:/root/.npmrc:ro`] : []),
  ];
}

export async function exportImage(reference: string, archive: string): Promise<void> {
  await rm(`${archive}.new`, { force: true });
  await buildah(['push', '--quiet', reference, `docker-archive:${archive}.new:${reference}`]);
  await rename(`${archive}.new`, archive);
}

/** The id of an image, or undefined when the storage has none of that name. */
export async function imageId(reference: string): Promise<string | undefined> {
  const listed = await buildah(['images', '--quiet', '--no-trunc', '--filter', `reference=${reference}`]);
  const id = listed.trim().split('\n')[0];
  return id === '' ? undefined : id;
}
