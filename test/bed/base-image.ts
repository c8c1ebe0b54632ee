import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build, exportImage } from './buildah.ts';
import { contentHash, ensureArchive, type Image } from './image-cache.ts';
import { cacheFolder } from './programs.ts';
import { run } from './shell.ts';
import { toolchain } from './toolchain.ts';

/** The public base of both Dockerfiles, for which a local stand-in is tagged with the same name. */
export const publicBase = 'docker.io/library/node:24-bookworm-slim';

/** The part of a slim Debian that Node and a multi-stage build need, as packages of the distribution. */
const packages = [
  ...['base-files', 'libc6', 'libgcc-s1', 'libstdc++6', 'libcrypt1', 'zlib1g', 'dash', 'bash', 'libtinfo6'],
  ...[
    'coreutils',
    'libacl1',
    'libattr1',
    'libgmp10',
    'libselinux1',
    'libpcre2-8-0',
    'findutils',
    'grep',
    'sed',
    'tar',
  ],
  ...['gzip', 'hostname', 'mawk', 'ca-certificates'],
];

const dockerfile = `FROM scratch
COPY root/ /
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin NODE_VERSION=24
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
CMD ["node"]
`;

export async function ensureBaseImage(): Promise<Image> {
  const { node } = await toolchain();
  const hash = contentHash(['5', packages.join(' '), dockerfile, node]);
  return await ensureArchive({
    reference: publicBase,
    hash,
    make: async (archive) => {
      const context = join(cacheFolder, 'base-image');
      await rm(context, { recursive: true, force: true });
      await mkdir(join(context, 'packages'), { recursive: true });
      await unpackPackages(context);
      await addNode(join(context, 'root'), node);
      await writeFile(join(context, 'Dockerfile'), dockerfile);
      await build({ dockerfile: join(context, 'Dockerfile'), context, reference: publicBase });
      await exportImage(publicBase, archive);
      await rm(context, { recursive: true, force: true });
    },
  });
}

async function unpackPackages(context: string): Promise<void> {
  const folder = join(context, 'packages');
  await run('apt-get', ['download', '-qq', '-o', 'APT::Sandbox::User=root', ...packages], { cwd: folder });
  const root = join(context, 'root');
  await mkdir(root);
  // base-files first: it decides whether /bin and /lib are links.
  const files = (await readdir(folder)).sort((one) => (one.startsWith('base-files') ? -1 : 0));
  await mergeUsr(root);
  for (const file of files)
    await run('sh', [
      '-c',
      'dpkg-deb --fsys-tarfile "$0" | tar -x --keep-directory-symlink -C "$1"',
      join(folder, file),
      root,
    ]);
  for (const share of ['doc', 'man', 'locale', 'info', 'lintian']) {
    await rm(join(root, 'usr/share', share), { recursive: true, force: true });
  }
}

/** /bin, /sbin and /lib are links into /usr, as on every Debian since 12. */
async function mergeUsr(root: string): Promise<void> {
  for (const folder of ['bin', 'sbin', 'lib', 'lib64']) {
    await mkdir(join(root, 'usr', folder), { recursive: true });
    await symlink(join('usr', folder), join(root, folder));
  }
}

async function addNode(root: string, node: string): Promise<void> {
  const npm = join(dirname(dirname(node)), 'lib/node_modules/npm');
  const target = join(root, 'usr/local');
  await mkdir(join(target, 'bin'), { recursive: true });
  await mkdir(join(target, 'lib/node_modules'), { recursive: true });
  await run('cp', ['--dereference', node, join(target, 'bin/node')]);
  await run('cp', ['-r', npm, join(target, 'lib/node_modules/npm')]);
  for (const program of ['npm', 'npx']) {
    await symlink(`../lib/node_modules/npm/bin/${program}-cli.js`, join(target, 'bin', program));
  }
  await symlink('dash', join(root, 'usr/bin/sh')).catch(() => undefined);
  const users = [
    'root:x:0:0:root:/root:/bin/bash',
    'node:x:1000:1000::/home/node:/bin/bash',
    'nobody:x:65534:65534::/:/bin/false',
  ];
  await writeFile(join(root, 'etc/passwd'), `${users.join('\n')}\n`);
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnode:x:1000:\nnogroup:x:65534:\n');
  await mkdir(join(root, 'etc/ssl/certs'), { recursive: true });
  await writeFile(join(root, 'etc/ssl/certs/ca-certificates.crt'), '');
  for (const folder of ['root', 'tmp', 'home/node']) await mkdir(join(root, folder), { recursive: true });
  await run('chmod', ['1777', join(root, 'tmp')]);
}
