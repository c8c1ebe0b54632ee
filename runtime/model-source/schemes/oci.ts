import { createHash } from 'node:crypto';
import { StartFailure } from '../../errors.ts';
import { RegistryAuthorization } from '../credentials/registry.ts';
import { parseJsonObject } from '../credentials/token-request.ts';
import { readText } from '../http/client.ts';
import { ask } from '../http/follow.ts';
import type { RemoteFile, SchemeContext } from '../remote-file.ts';
import { parseOciReference } from './oci-reference.ts';

const MANIFEST_TYPES = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];
const MOST_MANIFEST_BYTES = 4 << 20;
const TITLE = 'org.opencontainers.image.title';
/** Docker's registry answers under another name than its images are called by. */
const DOCKER_HUB = { name: 'docker.io', host: 'registry-1.docker.io' };

interface Layer {
  readonly mediaType: string;
  /** sha256, in hexadecimal digits. */
  readonly digest: string;
  readonly title: string;
}

/** `oci://REGISTRY/REPOSITORY@sha256:…`: the layer of an artifact or image that the model lies in. */
export async function locateInRegistry(
  uri: string,
  { client, settings }: SchemeContext,
): Promise<RemoteFile> {
  const { registry, repository, digest } = parseOciReference(uri);
  const host = registry === DOCKER_HUB.name ? DOCKER_HUB.host : registry;
  const base = new URL(`https://${host}/v2/${repository}/`);
  const authorization = new RegistryAuthorization({ client, settings, registry, repository });
  const blob = (path: string, sha256: string): RemoteFile => ({
    name: uri,
    url: new URL(path, base),
    sha256,
    isArchive: false,
    authorize: (_url, headers) => authorization.authorize(base, headers),
  });
  const manifest = blob(`manifests/sha256:${digest}`, digest);
  const answer = await ask(client, manifest, { accept: MANIFEST_TYPES.join(', ') });
  const text = await readText(answer, MOST_MANIFEST_BYTES);
  if (createHash('sha256').update(text).digest('hex') !== digest) {
    throw new StartFailure('ModelDigestMismatch', `the registry holds another manifest under ${uri}`);
  }
  const { layer, isArchive } = chooseLayer(uri, layersOf(text));
  return { ...blob(`blobs/sha256:${layer.digest}`, layer.digest), isArchive };
}

function layersOf(manifest: string): readonly Layer[] {
  const { layers } = parseJsonObject(manifest);
  return Array.isArray(layers) ? layers.flatMap(readLayer) : [];
}

function readLayer(layer: unknown): readonly Layer[] {
  const { mediaType, digest, annotations } = parseJsonObject(JSON.stringify(layer));
  const [, hexadecimal] = /^sha256:([0-9a-f]{64})$/u.exec(String(digest)) ?? [];
  if (typeof mediaType !== 'string' || hexadecimal === undefined) return [];
  const { [TITLE]: title } = parseJsonObject(JSON.stringify(annotations ?? {}));
  return [{ mediaType, digest: hexadecimal, title: typeof title === 'string' ? title : '' }];
}

/** The one layer that is an ONNX file, or else the one that is an archive. */
function chooseLayer(
  uri: string,
  layers: readonly Layer[],
): { readonly layer: Layer; readonly isArchive: boolean } {
  const archives = layers.filter(({ mediaType }) => /[.+]tar\b/u.test(mediaType));
  const models = layers.filter(
    (layer) =>
      !archives.includes(layer) && (layer.title.endsWith('.onnx') || layer.mediaType.includes('onnx')),
  );
  const [layer, ...others] = models.length > 0 ? models : archives;
  if (layer !== undefined && others.length === 0) return { layer, isArchive: models.length === 0 };
  throw new StartFailure(
    'ModelInvalid',
    `${uri} holds no single layer with a model, but ${models.length} ONNX files and ${archives.length} archives; push one .onnx file, or an image of one layer, and name its manifest and not an index of several`,
  );
}
