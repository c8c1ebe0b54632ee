import type { Image } from '../../bed/image-cache.ts';
import { run } from '../../bed/shell.ts';

export interface ImageContents {
  readonly config: {
    readonly User?: string;
    readonly Entrypoint?: readonly string[];
    readonly Healthcheck?: { readonly Test?: readonly string[] };
  };
  /** Of all files, unpacked. */
  readonly bytes: number;
  /** Without folders. */
  readonly files: readonly string[];
}

interface Manifest {
  readonly Config: string;
  readonly Layers: readonly string[];
}

/** What is in an image, read from its archive as a registry would hold it. */
export async function readImage({ archive }: Image): Promise<ImageContents> {
  const [manifest] = JSON.parse(await member(archive, 'manifest.json')) as Manifest[];
  if (manifest === undefined) throw new Error(`${archive} holds no image`);
  const { config } = JSON.parse(await member(archive, manifest.Config)) as Pick<ImageContents, 'config'>;
  const script = 'tar -xOf "$0" "$1" | tar -tv';
  const listings = await Promise.all(
    manifest.Layers.map((layer) => run('sh', ['-c', script, archive, layer])),
  );
  const rows = listings.flatMap((listing) => listing.split('\n')).map((row) => row.split(/\s+/));
  return {
    config,
    bytes: rows.reduce((total, [, , size]) => total + Number(size ?? 0), 0),
    files: rows
      .map(([, , , , , file = '']) => file.replace(/^\.\//, ''))
      .filter((file) => file !== '' && !file.endsWith('/')),
  };
}

async function member(archive: string, name: string): Promise<string> {
  return await run('tar', ['-xOf', archive, name]);
}
