import { StartFailure } from '../../errors.ts';
import { displayUri } from '../display-uri.ts';
import { readText, type Ask, type HttpClient } from '../http/client.ts';
import { TransientError } from '../persist.ts';

/**
 * Asks a service for credentials. Redirects are not followed, and of a refusal only the status is told: its body may
 * repeat what was sent.
 */
export async function requestToken(client: HttpClient, ask: Ask): Promise<string> {
  const answer = await client.send(ask);
  const text = await readText(answer);
  if (answer.status === 200) return text;
  const place = displayUri(ask.url.href);
  if (answer.status >= 500 || answer.status === 429) {
    throw new TransientError(`${place} answered ${answer.status}`);
  }
  throw new StartFailure(
    'ModelDownloadFailed',
    `the credentials for the model were refused: ${place} answered ${answer.status}; check spec.model.credentials and what it refers to`,
  );
}

export function malformedToken(url: URL): StartFailure {
  return new StartFailure(
    'ModelDownloadFailed',
    `the credentials for the model cannot be used: ${displayUri(url.href)} answered with something else than credentials`,
  );
}

/** The members of a JSON object, or none. */
export function parseJsonObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** A member that is a text and not empty. */
export function textMember(object: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = object[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
