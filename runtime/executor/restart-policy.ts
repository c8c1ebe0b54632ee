/** A process that lived for so long starts its count of losses anew. */
export const STABLE_AFTER_MS = 60_000;

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 30_000;
const LONGEST_WAIT_MS = 1000;

/** At once after the first loss, then 250 ms, doubling up to 30 s. */
export function restartDelayMs(consecutiveLosses: number): number {
  if (consecutiveLosses <= 1) return 0;
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (consecutiveLosses - 2));
}

/** Whether requests are better kept for the next process than sent away. */
export function isWorthWaiting(delayMs: number): boolean {
  return delayMs <= LONGEST_WAIT_MS;
}
