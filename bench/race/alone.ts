import type { RunningContender } from '../contender/running.ts';

/** Only one runs at a time, in turns, so that a busy machine and a hot core slow all alike. */
export async function alone<Value>(running: RunningContender, work: () => Promise<Value>): Promise<Value> {
  running.resume();
  try {
    return await work();
  } finally {
    running.pause();
  }
}
