import type { AwsSettings } from './credentials/aws.ts';
import type { Headers, HttpClient } from './http/client.ts';

/** A file on a server, of which any part can be asked for. */
export interface RemoteFile {
  /** For messages; holds nothing secret. */
  readonly name: string;
  readonly url: URL;
  /** The SHA-256 digest that the address itself promises; what has another one is not used. */
  readonly sha256?: string;
  /** Whether the model lies in it beside other files. */
  readonly isArchive: boolean;
  /** The headers to ask with, those given included; asked for before every request, since tokens expire. */
  authorize(url: URL, headers: Headers): Promise<Headers>;
  /** What the body of a refusal says in one word, where its form is known. */
  readonly codeOf?: (body: string) => string | undefined;
}

/** Where the pod's credentials for the model come from. */
export type CredentialsKind = 'None' | 'Secret' | 'WorkloadIdentity';

/** What the schemes are told beside the address. */
export interface SourceSettings {
  readonly credentials: CredentialsKind;
  /** A Secret's keys as files. */
  readonly credentialsDirectory: string;
  readonly s3: {
    readonly endpoint: string | undefined;
    readonly region: string;
    /** Undefined: with an endpoint of its own. */
    readonly pathStyle: boolean | undefined;
  };
  readonly gs: { readonly endpoint: string | undefined; readonly metadataHost: string | undefined };
  readonly aws: AwsSettings;
}

export interface SchemeContext {
  readonly client: HttpClient;
  readonly settings: SourceSettings;
}

/** Each scheme of an address is one function of this kind; throws StartFailure at an address that it cannot mean. */
export type Scheme = (uri: string, context: SchemeContext) => RemoteFile | Promise<RemoteFile>;

const ARCHIVE = /[.](tar|tar[.]gz|tgz|tar[.]zst)$/u;

export function isArchiveName(path: string): boolean {
  return ARCHIVE.test(path);
}
