import type { Settings } from '../config/settings.ts';
import type { ExecutorWish } from './executor-plan.ts';
import { readSessionSettings, type SessionSettings } from './session-settings.ts';

/** Three starts that take it fit into the time that a candidate has to become ready, so that its reason is told. */
const LOAD_TIMEOUT_MS = 120_000;
const DAY_MS = 86_400_000;

export interface ExecutorSettings extends ExecutorWish {
  /** A process that is not ready so long after its start is killed. */
  readonly loadTimeoutMs: number;
  /** A run without an answer for so long is taken for hung. */
  readonly runTimeoutMs: number;
  readonly session: SessionSettings;
}

export function readExecutorSettings(settings: Settings): ExecutorSettings {
  const orUndefined = (name: string, maximum: number): number | undefined => {
    const value = settings.whole(name, { byDefault: 0, minimum: 0, maximum });
    return value === 0 ? undefined : value;
  };
  const loadTimeout = { byDefault: LOAD_TIMEOUT_MS, minimum: 1, maximum: DAY_MS };
  const timeout = { byDefault: 60, minimum: 1, maximum: 3600 };
  return {
    executors: orUndefined('HEADGATE_EXECUTORS', 64),
    threads: orUndefined('HEADGATE_THREADS', 1024),
    session: readSessionSettings(settings),
    loadTimeoutMs: settings.whole('HEADGATE_LOAD_TIMEOUT_MS', loadTimeout),
    runTimeoutMs: settings.whole('HEADGATE_RUN_TIMEOUT_SECONDS', timeout) * 1000,
  };
}
