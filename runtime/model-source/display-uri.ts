/** An address without what may be a secret: user, password, query and fragment. */
export function displayUri(uri: string): string {
  const url = URL.parse(uri);
  if (url === null) return uri.replace(/[?#].*$/su, '').slice(0, 200);
  return `${url.protocol}//${url.host}${url.pathname}`;
}
