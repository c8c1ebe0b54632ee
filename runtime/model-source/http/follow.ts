import { StartFailure } from '../../errors.ts';
import { displayUri } from '../display-uri.ts';
import { failDownload, TransientError } from '../persist.ts';
import type { RemoteFile } from '../remote-file.ts';
import { readText, type Answer, type Headers, type HttpClient } from './client.ts';

const MOST_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const TRANSIENT_STATUSES = new Set([408, 425, 429, 500, 502, 503, 504]);
const NOT_FOUND_STATUSES = new Set([404, 410]);
const NOT_ALLOWED_STATUSES = new Set([401, 403]);
/** Of an answer that is no file, more than this is never read. */
const MOST_REFUSAL_BYTES = 1 << 16;

/** Asks for a file until the answer is neither a redirect nor a refusal. Its status is 200, 206 or 416. */
export async function ask(client: HttpClient, file: RemoteFile, headers: Headers): Promise<Answer> {
  let { url } = file;
  for (let redirects = 0; ; redirects++) {
    // Credentials are for the host that was named, and for no other that it sends us to.
    const authorized = url.origin === file.url.origin ? await file.authorize(url, headers) : headers;
    const answer = await client.send({ url, headers: authorized });
    if (!REDIRECTS.has(answer.status)) return await check(file, answer);
    answer.body.destroy();
    if (redirects === MOST_REDIRECTS) failDownload(file.name, `more than ${MOST_REDIRECTS} redirects`);
    url = nextUrl(client, file, answer);
  }
}

function nextUrl({ guard }: HttpClient, file: RemoteFile, { url, headers }: Answer): URL {
  const { location } = headers;
  const next = location === undefined ? null : URL.parse(location, url.href);
  if (next === null) return failDownload(file.name, 'a redirect to nowhere');
  next.username = '';
  next.password = '';
  const upgrade = url.protocol === 'http:' && next.protocol === 'https:' && next.hostname === url.hostname;
  if (next.origin === url.origin || upgrade) return next;
  if (next.protocol === 'https:' && guard.knows(next)) return next;
  throw new StartFailure(
    'ModelSourceForbidden',
    `${file.name} redirects to ${displayUri(next.href)}, which is another host or port, or no https; name that address as the model's uri, or have its host allowed with modelSources.allow of Headgate's chart`,
  );
}

async function check(file: RemoteFile, answer: Answer): Promise<Answer> {
  const { status } = answer;
  if (status === 200 || status === 206 || status === 416) return answer;
  if (TRANSIENT_STATUSES.has(status)) {
    answer.body.destroy();
    throw new TransientError(`the server answered ${status}`);
  }
  const code = await readCode(file, answer);
  const said = code === undefined ? String(status) : `${status} ${code}`;
  if (NOT_FOUND_STATUSES.has(status)) {
    throw new StartFailure('ModelNotFound', `${file.name} does not exist (${said}); check the model's uri`);
  }
  return failDownload(file.name, `the server answered ${said}${remedyOf(status)}`);
}

function remedyOf(status: number): string {
  return NOT_ALLOWED_STATUSES.has(status)
    ? '; check that spec.model.credentials may read the model, or that it may be read without any'
    : '; check the address';
}

async function readCode({ codeOf }: RemoteFile, answer: Answer): Promise<string | undefined> {
  if (codeOf === undefined) {
    answer.body.destroy();
    return undefined;
  }
  return codeOf(await readText(answer, MOST_REFUSAL_BYTES).catch(() => ''));
}
