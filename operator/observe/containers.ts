import type { Termination } from '../plan/observed.ts';

interface ContainerState {
  readonly running?: object;
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly terminated?: {
    readonly reason?: string;
    readonly message?: string;
    readonly exitCode: number;
    /** Null where the kubelet has lost sight of the container. */
    readonly finishedAt?: string | null;
  };
}

/** What is read of one container's status. */
export interface ContainerStatus {
  readonly name: string;
  readonly restartCount: number;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

/** Longer ones are cut: what a container writes reaches the status of its ModelDeployment. */
export const LONGEST_MESSAGE = 512;

/** How often the container has ended by itself: its restarts, plus one while it is down. */
export function crashesOf(container: ContainerStatus | undefined, terminating: boolean): number {
  if (container === undefined) return 0;
  return container.restartCount + (!terminating && isDown(container) ? 1 : 0);
}

/**
 * Whether the container has ended and was not started anew: only the start adds to `restartCount`. While it waits
 * for any other reason than the back-off, the new container may exist already and be counted.
 */
function isDown({ state }: ContainerStatus): boolean {
  return state?.terminated !== undefined || state?.waiting?.reason === 'CrashLoopBackOff';
}

/** How it ended last, where it did. */
export function terminationOf(container: ContainerStatus | undefined): Termination | undefined {
  const terminated = container?.state?.terminated ?? container?.lastState?.terminated;
  return terminated && described(terminated);
}

function described(terminated: NonNullable<ContainerState['terminated']>): Termination {
  const { exitCode, message = '', reason = 'Error', finishedAt } = terminated;
  const words = ownWords(message) ?? { reason, message: plainWords(message, exitCode) };
  return { ...words, exitCode, ...(typeof finishedAt === 'string' && { finishedAt }) };
}

/** Of a long log the end is kept: that is where it says what went wrong. */
function plainWords(text: string, exitCode: number): string {
  const lines = text.split('\n').map(wordsOfLine);
  const words = lines
    .filter((line) => line !== '')
    .join('\n')
    .slice(-LONGEST_MESSAGE);
  return words === '' ? `it ended with exit code ${exitCode}` : words;
}

/**
 * Of a line of our runtime's log what it says, and nothing where all was well: the end came without a word, then. What
 * records tell of users is not for the status.
 */
function wordsOfLine(line: string): string {
  const { level, message, type } = objectIn(line);
  if (type === 'decision' || type === 'feedback') return '';
  if (typeof level !== 'string' || typeof message !== 'string') return line.trim();
  return level === 'warn' || level === 'error' ? message : '';
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

/** What our runtime writes into its termination message; anything else stands for itself. */
function ownWords(text: string): { readonly reason: string; readonly message: string } | undefined {
  const { reason, message } = objectIn(text);
  if (typeof reason !== 'string' || typeof message !== 'string') return undefined;
  return /^[A-Za-z]{1,64}$/.test(reason) ? { reason, message: message.slice(0, LONGEST_MESSAGE) } : undefined;
}
