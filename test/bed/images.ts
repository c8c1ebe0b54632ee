import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ensureBaseImage, publicBase } from './base-image.ts';
import { build, exportImage } from './buildah.ts';
import { contentHash, ensureArchive, hashOfPaths, type Image } from './image-cache.ts';
import { bedLayout, repository } from './layout.ts';
import { pauseImage } from './node-files.ts';
import { cacheFolder } from './programs.ts';
import { run } from './shell.ts';
import { toolchain } from './toolchain.ts';

export const envoyImage = 'localhost/headgate-envoy:dev';
export const operatorImage = 'localhost/headgate-operator:dev';
export const runtimeImage = 'localhost/headgate-runtime:dev';

/** What the bed itself runs: the sandbox of every pod, the gateways, and the base for small test programs. */
export async function ensureBedImages(): Promise<Image[]> {
  const [base, pause] = await Promise.all([ensureBaseImage(), ensurePauseImage()]);
  return [base, pause, await ensureEnvoyImage(base)];
}

/** An image of the repository from its ordinary Dockerfile, rebuilt when a file that it copies has changed. */
export async function ensureProjectImage(name: 'operator' | 'runtime'): Promise<Image> {
  const base = await ensureBaseImage();
  const dockerfile = join(repository, name, 'Dockerfile');
  const text = await readFile(dockerfile, 'utf8');
  const reference = name === 'operator' ? operatorImage : runtimeImage;
  const inputs = await hashOfPaths(repository, copiedPaths(text));
  return await ensureArchive({
    reference,
    hash: contentHash([base.hash, text, inputs]),
    make: async (archive) => {
      await build({ dockerfile, context: repository, reference });
      await exportImage(reference, archive);
    },
  });
}

export interface DerivedImageRequest {
  readonly reference: string;
  /** For example `FROM localhost/headgate-runtime:dev` and a COPY or two. */
  readonly dockerfile: string;
  /** Files beside the Dockerfile by name. */
  readonly files?: Readonly<Record<string, string>>;
  /** The hash of the image that it is derived from, so that it is made anew with it. */
  readonly baseHash?: string;
}

/** A small image for a test, from text. */
export async function ensureDerivedImage(request: DerivedImageRequest): Promise<Image> {
  const files = Object.entries(request.files ?? {}).flat();
  return await ensureArchive({
    reference: request.reference,
    hash: contentHash([request.dockerfile, request.baseHash ?? '', ...files]),
    make: async (archive) => {
      const context = await mkdtemp(join(tmpdir(), 'headgate-image-'));
      await writeFile(join(context, 'Dockerfile'), request.dockerfile);
      for (const [file, text] of Object.entries(request.files ?? {}))
        await writeFile(join(context, file), text);
      await build({ dockerfile: join(context, 'Dockerfile'), context, reference: request.reference });
      await exportImage(request.reference, archive);
      await rm(context, { recursive: true, force: true });
    },
  });
}

/** Puts an image into the bed's containerd under its reference; a pod needs `imagePullPolicy: Never` or IfNotPresent. */
export async function importImage(image: Image, layout = bedLayout()): Promise<void> {
  await run('ctr', [
    ...['--address', layout.containerdSocket, '--namespace', 'k8s.io'],
    ...['images', 'import', '--no-unpack=false', image.archive],
  ]);
}

/** The sources of every COPY that takes from the build context, not from another stage. */
export function copiedPaths(dockerfile: string): string[] {
  return dockerfile
    .replaceAll(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => /^\s*(COPY|ADD)\s/i.test(line) && !/--from=/.test(line))
    .flatMap((line) => line.trim().split(/\s+/).slice(1, -1))
    .filter((word) => !word.startsWith('--'));
}

/** The sandbox of a pod: a program that waits to be ended. */
async function ensurePauseImage(): Promise<Image> {
  const source = `package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGINT, syscall.SIGTERM)
	<-ends
}
`;
  return await ensureArchive({
    reference: pauseImage,
    hash: contentHash([source]),
    make: async (archive) => {
      const context = await mkdtemp(join(tmpdir(), 'headgate-pause-'));
      await writeFile(join(context, 'pause.go'), source);
      await run(
        (await toolchain()).go,
        ['build', '-trimpath', '-ldflags', '-s -w', '-o', 'pause', 'pause.go'],
        {
          cwd: context,
          env: { CGO_ENABLED: '0', GO111MODULE: 'off' },
        },
      );
      await writeFile(
        join(context, 'Dockerfile'),
        'FROM scratch\nCOPY pause /pause\nENTRYPOINT ["/pause"]\n',
      );
      await build({ dockerfile: join(context, 'Dockerfile'), context, reference: pauseImage });
      await exportImage(pauseImage, archive);
      await rm(context, { recursive: true, force: true });
    },
  });
}

async function ensureEnvoyImage(base: Image): Promise<Image> {
  const { envoy } = await toolchain();
  const dockerfile = `FROM ${publicBase}\nCOPY envoy /usr/local/bin/envoy\nENTRYPOINT ["envoy"]\n`;
  return await ensureArchive({
    reference: envoyImage,
    hash: contentHash([base.hash, envoy, dockerfile]),
    make: async (archive) => {
      const context = dirname(envoy);
      const file = join(cacheFolder, 'envoy.Dockerfile');
      await writeFile(file, dockerfile);
      await build({ dockerfile: file, context, reference: envoyImage });
      await exportImage(envoyImage, archive);
    },
  });
}
