import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { RunningContender } from '../contender/running.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * Only one runs at a time, in turns, so that a busy machine and a hot core slow all alike. What the load on others has
 * left behind in this process is collected first: it would take 10 to 18 ms amid the load on this one.
 */
export async function alone<Value>(running: RunningContender, work: () => Promise<Value>): Promise<Value> {
  collectGarbage();
  running.resume();
  try {
    return await work();
  } finally {
    running.pause();
  }
}
