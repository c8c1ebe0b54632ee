import { GoogleTokenSource } from '../credentials/google.ts';
import { displayUri } from '../display-uri.ts';
import { isArchiveName, type RemoteFile, type SchemeContext } from '../remote-file.ts';
import { encodePart, parseBucketUri, parseEndpoint } from './refuse-uri.ts';

const GOOGLE = 'https://storage.googleapis.com';

/** `gs://BUCKET/OBJECT`, through the JSON interface of Google Cloud Storage. */
export function locateInGoogleStorage(uri: string, { client, settings }: SchemeContext): RemoteFile {
  const { bucket, key } = parseBucketUri(uri);
  const tokens = new GoogleTokenSource(client, settings);
  const url = parseEndpoint(settings.gs.endpoint ?? GOOGLE, 'spec.model.gs.endpoint');
  const base = url.pathname.replace(/\/$/u, '');
  url.pathname = `${base}/storage/v1/b/${encodePart(bucket)}/o/${encodePart(key)}`;
  url.search = '?alt=media';
  return {
    name: displayUri(uri),
    url,
    isArchive: isArchiveName(key),
    authorize: async (_url, headers) => {
      const token = await tokens.read();
      return token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` };
    },
  };
}
