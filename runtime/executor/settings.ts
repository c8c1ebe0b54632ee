import type { Settings } from '../config/settings.ts';
import type { ExecutorWish } from './executor-plan.ts';
import { readSessionSettings, type SessionSettings } from './session-settings.ts';

export interface ExecutorSettings extends ExecutorWish {
  /** A run without an answer for so long is taken for hung. */
  readonly runTimeoutMs: number;
  readonly session: SessionSettings;
}

export function readExecutorSettings(settings: Settings): ExecutorSettings {
  const orUndefined = (name: string, maximum: number): number | undefined => {
    const value = settings.whole(name, { byDefault: 0, minimum: 0, maximum });
    return value === 0 ? undefined : value;
  };
  const timeout = { byDefault: 60, minimum: 1, maximum: 3600 };
  return {
    executors: orUndefined('HEADGATE_EXECUTORS', 64),
    threads: orUndefined('HEADGATE_THREADS', 1024),
    session: readSessionSettings(settings),
    runTimeoutMs: settings.whole('HEADGATE_RUN_TIMEOUT_SECONDS', timeout) * 1000,
  };
}
