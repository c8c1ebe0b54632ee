import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureBaseImage } from './base-image.ts';
import { build, exportImage } from './buildah.ts';
import { ensureArchive, type Image } from './image-cache.ts';
import { repository } from './layout.ts';
import { cacheFolder } from './programs.ts';
import { run } from './shell.ts';

export const earlierOperatorImage = 'localhost/headgate-operator:earlier';

/** Chart and operator as they were at another commit. */
export interface EarlierRelease {
  readonly commit: string;
  readonly chart: string;
  readonly operatorImage: Image;
  /** Whether its chart has a value of this name. */
  knows(value: string): boolean;
}

/** Of the commit before this one, or of the one that HEADGATE_UPGRADE_FROM names. */
export async function earlierRelease(
  revision = process.env['HEADGATE_UPGRADE_FROM'] ?? 'HEAD^',
): Promise<EarlierRelease> {
  const commit = (
    await run('git', ['-C', repository, 'rev-parse', '--verify', `${revision}^{commit}`])
  ).trim();
  const tree = join(cacheFolder, 'earlier', commit);
  if (!existsSync(join(tree, '.complete'))) await exportTree(commit, tree);
  await ensureBaseImage();
  const chart = join(tree, 'charts/headgate');
  const schema = JSON.parse(await readFile(join(chart, 'values.schema.json'), 'utf8')) as {
    readonly properties: Readonly<Record<string, unknown>>;
  };
  const operatorImage = await ensureArchive({
    ...{ reference: earlierOperatorImage, hash: commit.slice(0, 16) },
    make: async (archive) => {
      const dockerfile = join(tree, 'operator/Dockerfile');
      await build({ dockerfile, context: tree, reference: earlierOperatorImage });
      await exportImage(earlierOperatorImage, archive);
    },
  });
  return { commit, chart, operatorImage, knows: (value) => Object.hasOwn(schema.properties, value) };
}

/** One tree is kept, as of images. */
async function exportTree(commit: string, tree: string): Promise<void> {
  await rm(join(cacheFolder, 'earlier'), { recursive: true, force: true });
  await mkdir(tree, { recursive: true });
  const script = 'git -C "$0" archive "$1" | tar -x -C "$2" && touch "$2/.complete"';
  await run('bash', ['-o', 'pipefail', '-c', script, repository, commit, tree]);
}
