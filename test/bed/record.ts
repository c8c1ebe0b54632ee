import { existsSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import type { Layout } from './layout.ts';

/** What a bed has taken and changed on the machine, written before each change: enough to undo all after a kill. */
export interface BedRecord {
  readonly bootId: string;
  readonly startedAt: string;
  readonly commandLine: string;
  /** The outer process of the bed's namespaces (`unshare`) and the first process inside, as the machine numbers them. */
  readonly keeper?: ProcessMark;
  readonly first?: ProcessMark;
  /** Kernel settings that have no namespace, with their values before. */
  readonly settings: Readonly<Record<string, string>>;
  readonly createdFolders: readonly string[];
  /** Programs by name, numbered as inside the bed. */
  readonly programs: Readonly<Record<string, number>>;
  readonly complete: boolean;
}

/** A process id alone may be another process later. */
export interface ProcessMark {
  readonly pid: number;
  readonly startedTicks: string;
}

export function readRecord(layout: Layout): BedRecord | undefined {
  if (!existsSync(layout.record)) return undefined;
  return JSON.parse(readFileSync(layout.record, 'utf8')) as BedRecord;
}

export async function writeRecord(layout: Layout, record: BedRecord): Promise<void> {
  await writeFile(`${layout.record}.new`, JSON.stringify(record, null, 2));
  await rename(`${layout.record}.new`, layout.record);
}

export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

export function markProcess(pid: number): ProcessMark {
  const startedTicks = startOf(pid);
  if (startedTicks === undefined) throw new Error(`process ${pid} is gone already`);
  return { pid, startedTicks };
}

export function isAlive(mark: ProcessMark | undefined): boolean {
  return mark !== undefined && startOf(mark.pid) === mark.startedTicks;
}

/** Field 22 of stat, counted after the command's name, which may hold blanks. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export function isBedAlive(record: BedRecord | undefined): boolean {
  return record !== undefined && record.bootId === bootId() && isAlive(record.first);
}
