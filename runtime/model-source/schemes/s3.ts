import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { AwsCredentialSource, type AwsCredentials } from '../credentials/aws.ts';
import { displayUri } from '../display-uri.ts';
import type { Headers } from '../http/client.ts';
import { isArchiveName, type RemoteFile, type SchemeContext, type SourceSettings } from '../remote-file.ts';
import { encodeKey, parseBucketUri, parseEndpoint } from './refuse-uri.ts';

/** `s3://BUCKET/KEY`, at AWS or at any server that speaks S3. */
export function locateInS3(uri: string, { client, settings }: SchemeContext): RemoteFile {
  const { bucket, key } = parseBucketUri(uri);
  const credentials = new AwsCredentialSource(client, settings);
  const { region } = settings.s3;
  return {
    name: displayUri(uri),
    url: objectUrl(settings.s3, bucket, key),
    isArchive: isArchiveName(key),
    authorize: async (url, headers) => {
      const found = await credentials.read();
      return found === undefined ? headers : await sign({ url, headers, region, credentials: found });
    },
    codeOf: (body) => /<Code>([A-Za-z]{1,64})<\/Code>/u.exec(body)?.[1],
  };
}

/** AWS wants the bucket in the host's name, most other servers in the path. */
function objectUrl({ endpoint, region, pathStyle }: SourceSettings['s3'], bucket: string, key: string): URL {
  const url = parseEndpoint(endpoint ?? `https://s3.${region}.amazonaws.com`, 'spec.model.s3.endpoint');
  // A dot in a bucket's name would be a level of the host's name that its certificate does not cover.
  const isInPath = pathStyle ?? (endpoint !== undefined || bucket.includes('.'));
  const base = url.pathname.replace(/\/$/u, '');
  if (!isInPath) url.hostname = `${bucket}.${url.hostname}`;
  url.pathname = `${base}/${isInPath ? `${bucket}/` : ''}${encodeKey(key)}`;
  return url;
}

interface Signing {
  readonly url: URL;
  readonly headers: Headers;
  readonly region: string;
  readonly credentials: AwsCredentials;
}

async function sign({ url, headers, region, credentials }: Signing): Promise<Headers> {
  const signer = new SignatureV4({
    service: 's3',
    region,
    credentials,
    sha256: Sha256,
    uriEscapePath: false,
  });
  const signed = await signer.sign({
    method: 'GET',
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    headers: { ...headers, host: url.host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
  });
  return signed.headers;
}

/** Node's own hashes in the form that the signer asks for. */
class Sha256 {
  readonly #hash: ReturnType<typeof createHash> | ReturnType<typeof createHmac>;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', asBytes(secret));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(asBytes(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    throw new Error('a hash is used once');
  }
}

function asBytes(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    : Buffer.from(data);
}
