import { setTimeout as wait } from 'node:timers/promises';
import { StartFailure } from '../errors.ts';

/** After each try that brought nothing; what brings something begins anew. */
const RETRY_DELAYS_MS = [500, 1000, 2000, 4000];
/** However much each of them brings. */
const MOST_TRIES = 200;

/** Worth another try: the next answer may be a better one. */
export class TransientError extends Error {}

export function failDownload(name: string, problem: string, cause?: unknown): never {
  throw new StartFailure('ModelDownloadFailed', `downloading ${name} failed: ${problem}`, { cause });
}

/** Makes an attempt until one succeeds or fails for good; `name` is for messages. */
export async function persist<T>(
  name: string,
  attempt: (noteProgress: () => void) => Promise<T>,
): Promise<T> {
  let inVain = 0;
  for (let tries = 1; ; tries++) {
    try {
      return await attempt(() => (inVain = 0));
    } catch (error) {
      if (error instanceof StartFailure) throw error;
      const { message } = error as Error;
      if (!(error instanceof TransientError)) failDownload(name, message, error);
      const delayMs = tries < MOST_TRIES ? RETRY_DELAYS_MS[inVain++] : undefined;
      if (delayMs === undefined) {
        failDownload(
          name,
          `${message} (${tries} tries); check the address and that the pod may reach it`,
          error,
        );
      }
      // Pods of one revision start together; their next tries need not.
      await wait(delayMs * (0.75 + Math.random() / 2));
    }
  }
}
