import { randomUUID } from 'node:crypto';

/** What a proxy may put into x-request-id; anything else is replaced, so that logs and headers stay clean. */
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/u;

export function chooseRequestId(given: string | undefined): string {
  return given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
}
