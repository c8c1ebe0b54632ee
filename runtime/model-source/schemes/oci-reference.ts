import { refuseUri } from './refuse-uri.ts';

/** What an oci:// address names. Only a digest names the same model tomorrow. */
export interface OciReference {
  /** With the port, where one is given. */
  readonly registry: string;
  readonly repository: string;
  readonly digest: string;
}

const REFERENCE =
  /^oci:\/\/([a-zA-Z0-9.-]+(?::[0-9]{1,5})?|\[[0-9a-fA-F:.]+\](?::[0-9]{1,5})?)\/([a-z0-9]+(?:[._/-]+[a-z0-9]+)*)(?::[\w.-]{1,128})?@sha256:([0-9a-f]{64})$/u;

export function parseOciReference(uri: string): OciReference {
  const [, registry, repository, digest] = REFERENCE.exec(uri) ?? [];
  if (registry !== undefined && repository !== undefined && digest !== undefined) {
    return { registry, repository, digest };
  }
  return refuseUri(uri, 'must name a digest; write oci://REGISTRY/REPOSITORY@sha256:DIGEST');
}
