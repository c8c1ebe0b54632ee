import { setTimeout as pause } from 'node:timers/promises';

export interface WaitOptions {
  readonly timeoutMs?: number;
  readonly everyMs?: number;
}

/**
 * Asks until the answer is neither undefined nor false and returns it. A question that throws counts as unanswered:
 * what it threw last is part of the sentence when the time is up.
 */
export async function waitFor<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined | false> | Answer | undefined | false,
  options: WaitOptions = {},
): Promise<Answer> {
  const timeoutMs = options.timeoutMs ?? 90_000;
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
      lastError = undefined;
    } catch (error) {
      if (error instanceof HopelessError) throw error;
      lastError = error;
    }
    await pause(options.everyMs ?? 100);
  }
  const reason = lastError instanceof Error ? `: ${lastError.message}` : '';
  throw new Error(`${what}: not within ${timeoutMs / 1000} s${reason}`, { cause: lastError });
}

/** Ends a wait at once: what is waited for can no longer come. */
export class HopelessError extends Error {}
