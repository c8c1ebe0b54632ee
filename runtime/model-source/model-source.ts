import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { rm } from 'node:fs/promises';
import { StartFailure } from '../errors.ts';
import { extractModel } from './archive.ts';
import { displayUri } from './display-uri.ts';
import { download } from './download.ts';
import { AddressGuard } from './http/address-guard.ts';
import type { AllowList } from './http/allow-list.ts';
import { HttpClient } from './http/client.ts';
import { readLocalModel } from './local-file.ts';
import { persist } from './persist.ts';
import type { Scheme, SchemeContext, SourceSettings } from './remote-file.ts';
import { locateByHttp } from './schemes/http.ts';
import { locateInGoogleStorage } from './schemes/gs.ts';
import { locateInRegistry } from './schemes/oci.ts';
import { locateInS3 } from './schemes/s3.ts';
import { refuseUri } from './schemes/refuse-uri.ts';

export interface ModelSource extends SourceSettings {
  readonly uri: string;
  readonly sha256: string | undefined;
  readonly maxBytes: number;
  readonly downloadDirectory: string;
  readonly allowed: AllowList;
}

export interface LocalModel {
  readonly path: string;
  /** sha256 of the file, in hexadecimal digits. */
  readonly digest: string;
}

const schemes: ReadonlyMap<string, Scheme> = new Map<string, Scheme>([
  ['http', locateByHttp],
  ['https', locateByHttp],
  ['s3', locateInS3],
  ['gs', locateInGoogleStorage],
  ['oci', locateInRegistry],
]);

/** Brings the model to a local file and makes sure that it is the one that was asked for. */
export async function fetchModel(
  source: ModelSource,
  client = new HttpClient(new AddressGuard(source.allowed)),
): Promise<LocalModel> {
  const model = source.uri.startsWith('file:')
    ? await readLocalModel(localPath(source.uri))
    : await fetchRemote(source, { client, settings: source });
  checkDigest(model.digest, source.sha256);
  return model;
}

/** A host in a file address would be another machine. */
function localPath(uri: string): string {
  const url = URL.parse(uri);
  return url?.host === '' ? fileURLToPath(url) : refuseUri(uri, 'must begin with file:///');
}

async function fetchRemote(source: ModelSource, context: SchemeContext): Promise<LocalModel> {
  const { uri, maxBytes, downloadDirectory } = source;
  const scheme = schemes.get(/^([a-z0-9]+):\/\/./u.exec(uri)?.[1] ?? '');
  if (scheme === undefined) {
    refuseUri(uri, `is not supported; use file:///absolute/path or one of ${schemeNames()}`);
  }
  const file = await persist(displayUri(uri), async () => scheme(uri, context));
  const modelPath = path.join(downloadDirectory, 'model.onnx');
  if (!file.isArchive) {
    return { path: modelPath, digest: await download(context.client, file, { path: modelPath, maxBytes }) };
  }
  const archivePath = path.join(downloadDirectory, 'model.tar');
  await download(context.client, file, { path: archivePath, maxBytes });
  try {
    return await extractModel({ name: file.name, path: archivePath, maxBytes }, modelPath);
  } finally {
    await rm(archivePath, { force: true });
  }
}

function schemeNames(): string {
  return [...schemes.keys()].map((name) => `${name}://`).join(', ');
}

function checkDigest(digest: string, expected: string | undefined): void {
  if (expected === undefined || expected === digest) return;
  throw new StartFailure(
    'ModelDigestMismatch',
    `the model's sha256 is ${digest}, expected ${expected}; the file was changed or is not the one that was meant`,
  );
}

/** A restart must never bring up another model under the same revision: a claim's files can change underneath. */
export async function verifyUnchanged(model: LocalModel): Promise<void> {
  const current = await readLocalModel(model.path);
  checkDigest(current.digest, model.digest);
}
