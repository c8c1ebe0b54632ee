import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { StartFailure } from '../errors.ts';
import { downloadModel } from './download.ts';
import { displayUri } from './display-uri.ts';

export interface ModelSource {
  readonly uri: string;
  readonly sha256: string | undefined;
  readonly maxBytes: number;
  readonly downloadDirectory: string;
}

export interface LocalModel {
  readonly path: string;
  /** sha256 of the file, in hexadecimal digits. */
  readonly digest: string;
}

function isSupported({ protocol, host }: URL): boolean {
  // A host in a file address would be another machine.
  return protocol === 'file:' ? host === '' : protocol === 'http:' || protocol === 'https:';
}

function parseUri(uri: string): URL {
  const url = URL.parse(uri);
  if (url === null || !isSupported(url)) {
    throw new StartFailure(
      'ModelUriUnsupported',
      `the model's address '${displayUri(uri)}' is not supported; use file:///absolute/path, http:// or https://`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new StartFailure(
      'ModelUriUnsupported',
      `the model's address '${displayUri(uri)}' has a user or password in it, which everyone who may read the ModelDeployment would see; remove them`,
    );
  }
  return url;
}

export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

async function readLocalFile(path: string): Promise<LocalModel> {
  try {
    if (!(await stat(path)).isFile()) throw new Error('it is not a file');
    return { path, digest: await hashFile(path) };
  } catch (error) {
    throw new StartFailure(
      'ModelNotFound',
      `the model file ${path} cannot be read (${(error as Error).message}); check the path and its permissions for user 65532`,
      { cause: error },
    );
  }
}

function checkDigest(digest: string, expected: string | undefined): void {
  if (expected === undefined || expected === digest) return;
  throw new StartFailure(
    'ModelDigestMismatch',
    `the model's sha256 is ${digest}, expected ${expected}; the file was changed or is not the one that was meant`,
  );
}

/** Brings the model to a local file and makes sure that it is the one that was asked for. */
export async function fetchModel(source: ModelSource): Promise<LocalModel> {
  const url = parseUri(source.uri);
  const model =
    url.protocol === 'file:' ? await readLocalFile(fileURLToPath(url)) : await downloadModel(url, source);
  checkDigest(model.digest, source.sha256);
  return model;
}

/** A restart must never bring up another model under the same revision: a claim's files can change underneath. */
export async function verifyUnchanged(model: LocalModel): Promise<void> {
  const current = await readLocalFile(model.path);
  checkDigest(current.digest, model.digest);
}
