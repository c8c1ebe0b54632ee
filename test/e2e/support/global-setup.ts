import { stopBed } from '../../bed/bed.ts';
import { bedLayout } from '../../bed/layout.ts';
import { differences, readMachineState } from '../../bed/machine-state.ts';
import { readRecord } from '../../bed/record.ts';
import { ensureStack } from './stack.ts';

/**
 * Once before and after all files of the tier. A bed that was up before is taken as it is, and left up; one of our own
 * must leave the machine as it was, or the tier has failed.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const wasUp = readRecord(bedLayout())?.complete === true;
  const before = await readMachineState();
  await ensureStack();
  return async () => {
    if (wasUp) return;
    await stopBed();
    const found = differences(before, await readMachineState());
    if (found.length > 0) throw new Error(`the bed has left something behind:\n${found.join('\n')}`);
    console.log('the bed is down and has left nothing behind');
  };
}
