import { displayUri } from '../display-uri.ts';
import { isArchiveName, type RemoteFile } from '../remote-file.ts';
import { refuseUri } from './refuse-uri.ts';

/** `https://` and `http://`: whatever the address names, asked for without credentials. */
export function locateByHttp(uri: string): RemoteFile {
  const url = URL.parse(uri);
  if (url === null) return refuseUri(uri, 'is no address');
  if (url.username !== '' || url.password !== '') {
    refuseUri(
      uri,
      'has a user or password in it, which everyone who may read the ModelDeployment would see; remove them',
    );
  }
  return {
    name: displayUri(uri),
    url,
    isArchive: isArchiveName(url.pathname),
    authorize: (_url, headers) => Promise.resolve(headers),
  };
}
