import { stopBed } from '../../bed/bed.ts';
import { readRecord } from '../../bed/record.ts';
import { bedLayout } from '../../bed/layout.ts';
import { ensureStack } from './stack.ts';

/** Once before and after all files of the tier. A bed that was up before is taken as it is, and left up. */
export default async function setup(): Promise<() => Promise<void>> {
  const wasUp = readRecord(bedLayout())?.complete === true;
  await ensureStack();
  return async () => {
    if (!wasUp) await stopBed();
  };
}
