import { StartFailure } from '../../errors.ts';
import { displayUri } from '../display-uri.ts';

const BUCKET_URI = /^(?:s3|gs):\/\/([A-Za-z0-9][-A-Za-z0-9._]{1,220}[A-Za-z0-9])\/(.+)$/u;

export function refuseUri(uri: string, problem: string): never {
  throw new StartFailure('ModelUriUnsupported', `the model's address '${displayUri(uri)}' ${problem}`);
}

/** Bucket and object of an address. A key is taken letter by letter, except that it must not climb in a path. */
export function parseBucketUri(uri: string): { readonly bucket: string; readonly key: string } {
  const [, bucket = '', key = ''] = BUCKET_URI.exec(uri) ?? [];
  if (bucket === '' || key.endsWith('/'))
    refuseUri(uri, 'names no object; write s3://BUCKET/PATH or gs://BUCKET/PATH');
  if (key.split('/').some((part) => part === '.' || part === '..')) {
    refuseUri(uri, "must not have '.' or '..' in its path");
  }
  return { bucket, key };
}

/** As S3 and its signatures spell a key in a path. */
export function encodeKey(key: string): string {
  return key.split('/').map(encodePart).join('/');
}

export function encodePart(part: string): string {
  return encodeURIComponent(part).replace(
    /[!'()*]/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The base of a service, without a slash at its end. */
export function parseEndpoint(endpoint: string, field: string): URL {
  const url = URL.parse(endpoint);
  const isBase =
    url !== null && /^https?:$/u.test(url.protocol) && `${url.username}${url.password}${url.search}` === '';
  if (isBase) return url;
  throw new StartFailure(
    'ConfigurationInvalid',
    `${field} is '${displayUri(endpoint)}'; write the address of the service, for example https://storage.example.com`,
  );
}
